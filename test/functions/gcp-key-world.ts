import { type GoogleIam, keyFile, startGoogleIam } from '../doubles/google-iam.ts'
import { administrator } from '../doubles/google-iam-errors.ts'
import { httpEventOf } from './gcp-events.ts'
import { type Framework, startFramework, type Target } from './gcp-framework.ts'
import { asking, type GcpWorld, schedulerToken, startGcpWorld } from './gcp-world.ts'
import { acmeKeys, type Document, type KeyHost, type KeyProviderDouble, type Said, startCommon, startGate } from './key-world.ts'

export interface GcpKeyWorld extends KeyHost {
  readonly world: GcpWorld
  readonly iam: GoogleIam
  readonly serviceAccount: KeyProviderDouble
  readonly acme: KeyProviderDouble
  /** rotate-api-key, and rotate-database, as Secret Manager’s topic reaches them. */
  readonly events: Framework
  readonly databaseEvents: Framework
  close(): Promise<void>
}

/** Both deployments as they ship, on one project’s secrets, with IAM and a described provider around them. */
export async function startGcpKeyWorld(folders: { readonly keys: string; readonly databases: string }): Promise<GcpKeyWorld> {
  const [common, iam, world] = await Promise.all([startCommon(), startGoogleIam(), startGcpWorld(folders.keys)])
  const authorization = (await administrator()).get('authorization') ?? ''
  const gate = await startGate(iam.url, authorization, (token) => world.isIssued(token))
  const env = {
    ...world.env,
    ...common.env,
    ...{ IAM_ENDPOINT: gate.url, POLICY_ANALYZER_ENDPOINT: gate.url, OAUTH2_ENDPOINT: iam.url }
  }
  const [http, events] = [await world.start('onRequest', env), await world.start('onSecretEvent', env)]
  const databases = (target: Target) => startFramework({ folder: folders.databases, target, env })
  const [databaseHttp, databaseEvents] = [await databases('onRequest'), await databases('onSecretEvent')]
  const resources = new Map<string, string>()
  const resourceOf = (name: string) => resources.get(name) ?? name
  await world.put('acme-admin', common.adminDocument, {})
  const ask = async (to: Framework, request: Document): Promise<Said> =>
    (await to.send(asking(httpEventOf('on-demand-rotate'), schedulerToken(world), request))).json as Said
  return {
    ...{ common, world, iam, events, databaseEvents },
    serviceAccount: serviceAccountKeys(iam),
    acme: acmeKeys(common.acme, 'acme-admin'),
    ask: (request) => ask(http, request),
    askDatabases: (request) => ask(databaseHttp, request),
    put: async (name, document, metadata) => void resources.set(name, await world.put(name, document, metadata)),
    database: async () => {
      const { name, resource } = await world.secret()
      resources.set(name, resource)
      return name
    },
    read: (name) => world.read({ resource: resourceOf(name) }),
    record: async (name) => JSON.stringify(world.double.secret(resourceOf(name))?.annotations),
    versions: (name) => world.double.versions(resourceOf(name)).length,
    advance: world.advance,
    output: async () => `${await world.output()}${await databaseHttp.output()}${await databaseEvents.output()}`,
    close: async () => {
      await Promise.all([databaseHttp.stop(), databaseEvents.stop()])
      await world.close()
      await Promise.all([common.close(), iam.close(), gate.close()])
    }
  }
}

function serviceAccountKeys(iam: GoogleIam): KeyProviderDouble {
  return {
    kind: 'gcp-service-account-key',
    ends: ['disable', 'retire'],
    refusal: 'invalid_grant',
    open: () => {
      const email = iam.account()
      const { id, value } = iam.addKey(email)
      return { ...keyFile(email, id, value), note: 'kept' }
    },
    principalOf: ({ private_key_id: id }) => String(id),
    works: ({ private_key_id: id, private_key: value }) => {
      const key = iam.shelf.find(String(id))
      return key?.value === value && !key?.isDeleted && !key?.isDisabled
    },
    // In a log its line breaks would be escaped: a line of it is enough.
    secretsIn: ({ private_key: pem }) => [String(pem).split('\n')[3] ?? '', 'ya29.', 'PRIVATE KEY'],
    calls: () => iam.calls.map(({ op }) => op),
    advance: iam.advance
  }
}
