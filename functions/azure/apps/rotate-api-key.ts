import { composeAzure } from '../compose.ts'
import { keys } from '../keys.ts'
import { register } from '../register.ts'

// An app of its own: each has its own identity, with the rights of its functions.
register('rotate-api-key', () => composeAzure(process.env, keys))
