import { DATABASE_KINDS } from '../../shared/kinds.ts'
import { azureStorageKey } from '../../shared/targets/azure-storage-key.ts'
import { byType } from '../../shared/targets/by-type.ts'
import { entraClientSecret } from '../../shared/targets/entra-client-secret.ts'
import { describedKeys } from '../../shared/targets/http-described.ts'
import type { Purpose } from './compose.ts'

/** Azure's own keys, and those of every provider with a description. Another cloud's are rotated there, or by the command line. */
export const keys: Purpose = {
  othersKinds: DATABASE_KINDS,
  targets: ({ config, settings: { cloud }, place, token }) => {
    const entra = entraClientSecret({ token, graph: cloud.graph, login: cloud.login })
    const storage = azureStorageKey({ token, arm: cloud.arm, blobEndpoint: cloud.blob })
    return byType({
      'entra-client-secret': () => entra,
      'azure-storage-key': () => storage,
      'http-api-key': describedKeys(config, place.read)
    })
  }
}
