import { keysCrash } from '../conformance/keys-crash.ts'
import { iam } from './keys-subjects.ts'

keysCrash('AWS IAM access keys', iam)
