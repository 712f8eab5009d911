import { newFaults } from '../conformance/crash.ts'
import { interleaveReal } from '../conformance/interleave-real.ts'
import { awsWorld } from './crash-worlds.ts'

interleaveReal('AWS Secrets Manager and Postgres', () => awsWorld(newFaults()))
