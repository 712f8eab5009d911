import type { Config } from '../../shared/config.ts'
import { snsTopic } from '../../shared/notifiers/aws-sns.ts'
import { addressing, type Builders } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import { ownCredentials } from '../../shared/stores/aws-client.ts'

/** Who can be told from AWS. */
export function awsNotifiers(environment: Readonly<Record<string, string | undefined>>, config: Config): Builders {
  const common = addressing(config)
  const endpoint = environment.AWS_ENDPOINT_URL_SNS || undefined
  return {
    sns: ({ place: arn }) => snsTopic({ arn, credentials: ownCredentials, endpoint }),
    webhook: (channel) => webhook({ ...channel, ...common }),
    slack: (channel) => slack({ ...channel, ...common })
  }
}
