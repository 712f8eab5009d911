import type { Config } from '../../shared/config.ts'
import { snsTopic } from '../../shared/notifiers/aws-sns.ts'
import { eventGridTopic } from '../../shared/notifiers/azure-event-grid.ts'
import { storageQueue } from '../../shared/notifiers/azure-storage-queue.ts'
import { pubsubTopic } from '../../shared/notifiers/gcp-pubsub.ts'
import { addressing, type Builders } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import type { SignedIn } from './signed-in.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Whoever is signed in tells people by each of the clouds. */
export function localNotifiers(environment: Environment, config: Config, who: SignedIn): Builders {
  const common = addressing(config)
  const { ca } = common
  const { awsCredentials: credentials, azureToken: token, googleHeaders: authorize } = who
  return {
    sns: ({ place: arn }) => snsTopic({ arn, credentials, endpoint: environment.AWS_ENDPOINT_URL_SNS || undefined, ca }),
    queue: ({ place: url }) => storageQueue({ url, token, ca }),
    eventgrid: ({ place: topic }) => eventGridTopic({ topic, token, ca }),
    pubsub: ({ place: topic }) => pubsubTopic({ topic, authorize, endpoint: environment.PUBSUB_ENDPOINT || undefined, ca }),
    webhook: (channel) => webhook({ ...channel, ...common }),
    slack: (channel) => slack({ ...channel, ...common })
  }
}
