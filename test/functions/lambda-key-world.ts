import { ADMIN, type IamDouble, startIam } from '../doubles/iam.ts'
import { acmeKeys, type Document, type KeyHost, type KeyProviderDouble, type Said, startCommon } from './key-world.ts'
import { type Outcome, type Runtime, startLambda } from './lambda-runtime.ts'
import { type LambdaWorld, startLambdaWorld } from './lambda-world.ts'

export interface LambdaKeyWorld extends KeyHost {
  readonly world: LambdaWorld
  readonly iam: IamDouble
  readonly iamKeys: KeyProviderDouble
  readonly acme: KeyProviderDouble
  /** A process more of rotate-api-key, beside the one that takes the events. */
  another(): ReturnType<typeof startLambda>
  close(): Promise<void>
}

/** Both functions as they ship, on one Secrets Manager, with IAM, STS and a described provider around them. */
export async function startLambdaKeyWorld(settings: {
  readonly keys: string
  readonly databases: string
  readonly runtime: Runtime
}): Promise<LambdaKeyWorld> {
  const { runtime } = settings
  const [common, iam] = await Promise.all([startCommon(), startIam()])
  const env = {
    ...common.env,
    ...{ AWS_ENDPOINT_URL_IAM: iam.url, AWS_ENDPOINT_URL_STS: iam.url },
    ...{ AWS_ACCESS_KEY_ID: ADMIN.accessKeyId, AWS_SECRET_ACCESS_KEY: ADMIN.secretAccessKey }
  }
  const world = await startLambdaWorld({ folder: settings.keys, runtime, env })
  const databases = await startLambda({ folder: settings.databases, runtime, env: { ...world.env, ...env } })
  await world.put('acme-admin', common.adminDocument, {})
  const record = async (name: string) => JSON.stringify((await world.owner.describeSecret({ SecretId: name })).Tags)
  return {
    ...{ common, world, iam, record },
    iamKeys: iamKeys(iam),
    acme: acmeKeys(common.acme, 'acme-admin'),
    another: () => startLambda({ folder: settings.keys, runtime, env: { ...world.env, ...env } }),
    ask: async (request) => saidIn(await world.invoke(request)),
    askDatabases: async (request) => saidIn(await databases.invoke(request)),
    put: async (name, document, metadata) => void (await world.put(name, document, metadata)),
    database: async () => (await world.secret()).name,
    read: async (name) => (await world.read({ name })) as Document,
    versions: (name) => world.double.versions(name).length,
    advance: world.advance,
    output: async () => `${world.output()}${databases.output()}`,
    close: async () => {
      await databases.stop()
      await world.close()
      await Promise.all([common.close(), iam.close()])
    }
  }
}

const saidIn = (outcome: Outcome): Said => ('error' in outcome ? { code: outcome.error.errorType } : (outcome.answer as Said))

let users = 0

function iamKeys(iam: IamDouble): KeyProviderDouble {
  return {
    kind: 'aws-iam-access-key',
    ends: ['disable', 'retire'],
    refusal: 'InvalidClientTokenId',
    open: () => {
      const userName = `app-${++users}`
      iam.addUser(userName)
      const { id, value } = iam.addKey(userName)
      return { type: 'aws-iam-access-key', userName, accessKeyId: id, secretAccessKey: value, note: 'kept' }
    },
    principalOf: ({ accessKeyId }) => String(accessKeyId),
    works: ({ accessKeyId, secretAccessKey }) => {
      const key = iam.shelf.find(String(accessKeyId))
      return key?.value === secretAccessKey && !key?.isDeleted && !key?.isDisabled
    },
    secretsIn: ({ secretAccessKey }) => [String(secretAccessKey), ADMIN.secretAccessKey, 'AWS4-HMAC'],
    calls: () => iam.calls.map(({ op }) => op),
    advance: iam.advance
  }
}
