import { newFaults } from '../conformance/crash.ts'
import { interleaveReal } from '../conformance/interleave-real.ts'
import { gcpWorld } from './worlds-gcp.ts'

interleaveReal('Google Secret Manager and Postgres', () => gcpWorld(newFaults()))
// Two processes of which neither sees what the other wrote, but by number; what follows sees everything.
interleaveReal('Google Secret Manager, while it converges, and Postgres', () => gcpWorld(newFaults(), 1_800_000), 50)
interleaveReal('Google Secret Manager, by two runs of one process, and Postgres', () => gcpWorld(newFaults(), 0, 'one'), 50)
