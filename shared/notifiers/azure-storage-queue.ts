import type { Code } from '../errors.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import { bearer, type CallSettings, providerApi } from '../provider-api.ts'
import type { SecretText } from '../types.ts'
import { remoteNotifier } from './remote.ts'
import { fitted, noticeJson } from './remote-text.ts'

export interface StorageQueueSettings extends CallSettings {
  /** `https://<account>.queue.core.windows.net/<queue>` */
  readonly url: string
  readonly token: (resource: string, signal: AbortSignal) => Promise<SecretText>
}

/** Any account’s tokens, in every cloud (rest/api/storageservices/authorize-with-azure-active-directory). */
const RESOURCE = 'https://storage.azure.com'
/** The first versions that take tokens are of 2017; pinned, as azure-client.ts does. */
const VERSION = { 'x-ms-version': '2021-12-02', 'content-type': 'application/xml' }

/**
 * A queue of Azure Storage: one message, the notice’s JSON in base64, as the trigger of Azure Functions expects it (host.json,
 * `messageEncoding`). It stays for seven days.
 */
export function storageQueue({ url, token, ...rest }: StorageQueueSettings): Notifier {
  const { hostname, pathname } = new URL(url)
  const name = `queue:${hostname.split('.')[0]}/${pathname.split('/').at(-1)}`
  const api = providerApi({ ...rest, peer: name, endpoint: url, authorize: bearer((signal) => token(RESOURCE, signal)) })
  return remoteNotifier({
    name,
    needs: 'the role Storage Queue Data Message Sender on the queue, and a network path to it',
    send: async (notice, signal) => {
      const body = `<QueueMessage><MessageText>${messageOf(notice)}</MessageText></QueueMessage>`
      return api({ method: 'POST', path: '/messages', body, headers: VERSION, repeatable: true }, signal)
    },
    isTaken: ({ status }) => status === 201,
    vendorIn: ({ header }) => header('x-ms-error-code'),
    codes: CODES
  })
}

/** rest/api/storageservices/put-message: “The encoded message can be up to 64 KiB in size”. */
const MOST_BYTES = 65_536

const messageOf = (notice: Notice): string => encoded(fitted(notice, (less) => encoded(less).length <= MOST_BYTES))
const encoded = (notice: Notice): string => Buffer.from(JSON.stringify(noticeJson(notice))).toString('base64')

/** rest/api/storageservices/queue-service-error-codes, and common-rest-api-error-codes. 429 and 5xx are told by the status. */
const CODES: Readonly<Record<string, Code>> = {
  QueueNotFound: 'not-found/channel',
  QueueBeingDeleted: 'not-found/channel',
  QueueDisabled: 'denied/channel',
  ResourceNotFound: 'not-found/channel',
  InvalidResourceName: 'not-found/channel',
  AccountIsDisabled: 'denied/channel',
  MessageTooLarge: 'invalid/notice',
  RequestBodyTooLarge: 'invalid/notice'
}
