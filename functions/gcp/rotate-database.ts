import { composeGcp } from './compose.ts'
import { databases } from './databases.ts'
import { rotation } from './rotation.ts'

export const { onSecretEvent, onRequest } = rotation(() => composeGcp(process.env, databases))
