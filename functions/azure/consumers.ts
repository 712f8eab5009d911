import type { Config } from '../../shared/config.ts'
import { appServiceSite } from '../../shared/consumers/azure-app-service.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { everywhere } from '../../shared/consumers/everywhere.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import type { TokenFor } from './compose.ts'
import type { AzureSettings } from './settings.ts'

/** Who can be restarted from Azure. */
export function azureConsumers(config: Config, { cloud }: AzureSettings, token: TokenFor): Consumers {
  return consumers({
    appservice: appServiceSite({ token, arm: cloud.arm }),
    ...everywhere(config)
  })
}
