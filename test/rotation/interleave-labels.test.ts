import { interleaveSuite } from '../conformance/interleave.ts'

interleaveSuite(['labels', 'aws'])
