import { seededSuite } from '../conformance/interleave.ts'

seededSuite(10_000)
