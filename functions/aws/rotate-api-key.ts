import { composeAws } from './compose.ts'
import { lambda } from './handler.ts'
import { keys } from './keys.ts'

/** Rotates keys in AWS Secrets Manager, or in Vault beside it: IAM's own, and those of any provider with a description. */
export const handler = lambda(() => composeAws(process.env, keys))
