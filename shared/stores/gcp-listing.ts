import pMap from 'p-map'
import { decodeMetadata } from '../metadata.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { setAside } from '../set-aside.ts'
import { instant } from '../types.ts'
import { getVersion, listSecrets, type SecretMessage } from './gcp-calls.ts'
import { type GcpClient, type GcpClientSettings, gcpClient } from './gcp-client.ts'
import { type Home, homeOf, mainVersion, placeOf } from './gcp-names.ts'
import { PREFIX } from './gcp-record.ts'

/** At once; one call each, where nobody but keyturn writes. The quota of access is 90,000 a minute (docs/quotas). */
const CONCURRENCY = 8

/** Managed secrets, a hundred a page, each by what `factsOf` makes of it; what that cannot understand is said at the end. */
export async function* listManaged(
  client: GcpClient,
  home: Home,
  factsOf: (message: SecretMessage) => Promise<SecretFacts>,
  signal: AbortSignal
): AsyncGenerator<SecretFacts> {
  const rest = setAside()
  const facts = (message: SecretMessage) => factsOf(message).catch(rest.put)
  for await (const page of listSecrets(client, homeOf(home), signal)) {
    const managed = page.filter(({ annotations }) => annotations[`${PREFIX}kind`] !== undefined)
    for (const found of await pMap(managed, facts, { concurrency: CONCURRENCY })) if (found) yield found
  }
  rest.say()
}

/**
 * The secrets of a project for reports, without a value that is read: `roles/secretmanager.viewer` is enough. All of it is
 * eventually consistent (docs/reference/consistency), and nothing that is pending is shown.
 */
export function secretManagerListing(settings: Home & GcpClientSettings): (signal: AbortSignal) => AsyncGenerator<SecretFacts> {
  const client = gcpClient(settings)
  return (signal) => listManaged(client, settings, (message) => shown(client, settings, message, signal), signal)
}

async function shown(client: GcpClient, home: Home, message: SecretMessage, signal: AbortSignal): Promise<SecretFacts> {
  const { resource, annotations, seenAt, isManaged, etag } = message
  const metadata = decodeMetadata(annotations, PREFIX)
  const latest = await getVersion(client, resource, 'latest', signal)
  const { promoted } = metadata
  // `latest` may be hours behind the record.
  const isRecorded = promoted !== undefined && Number(promoted.version) >= (latest?.number ?? 0)
  return {
    id: resource,
    name: placeOf(resource, home).name,
    seenAt,
    current: isRecorded ? promoted.version : latest && mainVersion(latest.number),
    pendings: [],
    previous: isRecorded ? promoted.previous : undefined,
    spent: [],
    changedAt: isRecorded ? promoted.at : (latest?.createdAt ?? instant(Date.parse(message.createTime))),
    replicasInSync: true,
    managedBy: isManaged ? 'Google managed rotation' : undefined,
    metadata,
    revision: etag
  }
}
