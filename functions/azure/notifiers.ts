import type { Config } from '../../shared/config.ts'
import { eventGridTopic } from '../../shared/notifiers/azure-event-grid.ts'
import { storageQueue } from '../../shared/notifiers/azure-storage-queue.ts'
import { addressing, type Builders } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import type { TokenFor } from './compose.ts'

/** Who can be told from Azure. */
export function azureNotifiers(config: Config, token: TokenFor): Builders {
  const common = addressing(config)
  return {
    queue: ({ place: url }) => storageQueue({ url, token }),
    eventgrid: ({ place: topic }) => eventGridTopic({ topic, token }),
    webhook: (channel) => webhook({ ...channel, ...common }),
    slack: (channel) => slack({ ...channel, ...common })
  }
}
