import type { ReadCurrent } from '../admin.ts'
import { type Config, readCa, readSettingFile } from '../config.ts'
import type { Target } from '../ports/target.ts'
import type { SecretText } from '../types.ts'
import { chosenBy } from './http-api-key.ts'
import { parseDescriptions } from './http-checks.ts'
import { PROVIDERS } from './http-providers.ts'

/** Keys of every provider with a description, a ready one or of the deployment's own. Throws `invalid/config`, `invalid/description`. */
export function describedKeys(config: Config, read: ReadCurrent): (document: SecretText) => Target {
  const { providersFile, privateHosts, providerEndpoints } = config
  const own = providersFile === undefined ? [] : parseDescriptions(readSettingFile('KEYTURN_PROVIDERS_FILE', providersFile))
  // The ready ones are checked by their tests, and not at each start.
  return chosenBy([...PROVIDERS, ...own], {
    admin: async (reference, signal) => (await read(reference, signal)).text,
    allowPrivate: privateHosts,
    endpoints: providerEndpoints,
    ca: readCa(config)
  })
}
