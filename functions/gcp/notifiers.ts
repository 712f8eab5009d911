import type { Config } from '../../shared/config.ts'
import { pubsubTopic } from '../../shared/notifiers/gcp-pubsub.ts'
import { addressing, type Builders } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import type { ServiceAccount } from './service-account.ts'
import type { GcpSettings } from './settings.ts'

/** Who can be told from Google Cloud. */
export function gcpNotifiers(
  config: Config,
  { endpoints }: Pick<GcpSettings, 'endpoints'>,
  { authorize }: Pick<ServiceAccount, 'authorize'>
): Builders {
  const common = addressing(config)
  return {
    pubsub: ({ place: topic }) => pubsubTopic({ topic, authorize, endpoint: endpoints.pubsub }),
    webhook: (channel) => webhook({ ...channel, ...common }),
    slack: (channel) => slack({ ...channel, ...common })
  }
}
