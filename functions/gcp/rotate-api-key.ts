import { composeGcp } from './compose.ts'
import { keys } from './keys.ts'
import { rotation } from './rotation.ts'

export const { onSecretEvent, onRequest } = rotation(() => composeGcp(process.env, keys))
