import { composeAws } from './compose.ts'
import { databases } from './databases.ts'
import { lambda } from './handler.ts'

/** Rotates database credentials in AWS Secrets Manager, or in Vault beside it. */
export const handler = lambda(() => composeAws(process.env, databases))
