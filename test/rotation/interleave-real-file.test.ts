import { newFaults } from '../conformance/crash.ts'
import { interleaveReal } from '../conformance/interleave-real.ts'
import { fileWorld } from './crash-worlds.ts'

interleaveReal('the file store and Postgres', () => fileWorld(newFaults()))
