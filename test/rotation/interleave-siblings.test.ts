import { interleaveSuite } from '../conformance/interleave.ts'

interleaveSuite(['sibling', 'stale'])
