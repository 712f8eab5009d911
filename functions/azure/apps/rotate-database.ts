import { composeAzure } from '../compose.ts'
import { databases } from '../databases.ts'
import { register } from '../register.ts'

// An app of its own: each has its own identity, with the rights of its functions.
register('rotate-database', () => composeAzure(process.env, databases))
