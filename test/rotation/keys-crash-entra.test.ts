import { keysCrash } from '../conformance/keys-crash.ts'
import { entra } from './keys-subjects.ts'

keysCrash('Entra client secrets', entra)
