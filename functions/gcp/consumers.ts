import type { Config } from '../../shared/config.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { everywhere } from '../../shared/consumers/everywhere.ts'
import { cloudRunService } from '../../shared/consumers/gcp-cloud-run.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import type { ServiceAccount } from './service-account.ts'
import type { GcpSettings } from './settings.ts'

/** Who can be restarted from Google Cloud. */
export async function gcpConsumers(
  config: Config,
  { project, endpoints }: GcpSettings,
  account: ServiceAccount
): Promise<Consumers> {
  return consumers({
    run: cloudRunService({
      project: project ?? (await account.projectId()),
      authorize: account.authorize,
      endpoint: endpoints.run
    }),
    ...everywhere(config)
  })
}
