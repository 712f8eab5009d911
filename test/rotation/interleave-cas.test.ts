import { interleaveSuite } from '../conformance/interleave.ts'

interleaveSuite(['cas'])
