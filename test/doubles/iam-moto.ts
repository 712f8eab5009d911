import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  type IAMClient,
  ListAccessKeysCommand,
  PutUserPolicyCommand
} from '@aws-sdk/client-iam'
import { awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import type { KeysHarness } from '../conformance/keys-harness.ts'
import { soon } from '../conformance/target-harness.ts'
import { identity, stsError, UNKNOWN } from './iam-answers.ts'
import { callerIdentity, type IamAccount, iamClient, type Keys } from './iam-caller.ts'
import { COMMON, sceneOf, settingsOf, UNREADABLE, wrong } from './iam-harness.ts'
import { type QueryRequest, startQueryServer } from './iam-wire.ts'
import { fieldsOf } from './key-documents.ts'
import { startMoto } from './moto.ts'
import type { ProviderAnswer } from './provider-double.ts'
import { authorizationOf } from './vault-login-aws.ts'

export interface Moto extends IamAccount {
  /** moto checks its signature and its policy. */
  readonly admin: IAMClient
}

/** moto with its checks on (docs.getmoto.org, "IAM-like access control"): of every request the signature and the caller's policies. */
export async function startMotoIam(file: string): Promise<Moto> {
  const server = await startMoto(file)
  const root = iamClient(server.url, { accessKeyId: 'test', secretAccessKey: 'test' })
  await root.send(new CreateUserCommand({ UserName: 'admin' }))
  const statement = { Effect: 'Allow', Action: '*', Resource: '*' }
  const policy = { Version: '2012-10-17', Statement: [statement] }
  await root.send(new PutUserPolicyCommand({ UserName: 'admin', PolicyName: 'all', PolicyDocument: JSON.stringify(policy) }))
  const adminKeys = await keyOf(root, 'admin')
  root.destroy()
  await fetch(`${server.url}/moto-api/reset-auth`, { method: 'POST', body: '0' })
  const admin = iamClient(server.url, adminKeys)
  return {
    url: server.url,
    admin,
    adminKeys,
    user: async () => {
      const userName = `app-${randomUUID()}`
      await admin.send(new CreateUserCommand({ UserName: userName }))
      return { userName, ...(await keyOf(admin, userName)) }
    },
    stop: async () => {
      admin.destroy()
      await server.close()
    }
  }
}

async function keyOf(client: IAMClient, user: string): Promise<Keys> {
  const { AccessKey } = await client.send(new CreateAccessKeyCommand({ UserName: user }))
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
}

/**
 * The keys' harness on moto. The proxy before it does as AWS does what moto does not (test/targets/aws-iam-contract.test.ts): STS's
 * answers in JSON, inactive keys, and the time that a change takes. The rest is moto's.
 */
export async function startMotoHarness(file: string): Promise<KeysHarness> {
  const moto = await startMotoIam(file)
  const states = keyStates()
  const proxy = await startQueryServer((request) => states.answer(request, () => forwarded(moto.url, request)))
  const settings = settingsOf(proxy.url, moto.adminKeys)
  const userOf = (fields: Readonly<Record<string, string | undefined>>) => ({ UserName: fields.userName ?? '' })
  return {
    scene: async () => sceneOf(awsIamAccessKey(settings), { ...(await moto.user()) }),
    works: async ({ document }) => {
      const { accessKeyId = '', secretAccessKey = '' } = fieldsOf(document)
      const { status } = await callerIdentity(moto.url, { accessKeyId, secretAccessKey })
      return status === 200 && !states.isInactive(accessKeyId)
    },
    use: async (credential) => void (await awsIamAccessKey(settings).verify(credential, {}, soon())),
    wrong,
    unreadable: UNREADABLE,
    person: async ({ current }) => (await keyOf(moto.admin, userOf(fieldsOf(current.document)).UserName)).accessKeyId,
    deleteBehind: async ({ document }) => {
      const fields = fieldsOf(document)
      await moto.admin.send(new DeleteAccessKeyCommand({ ...userOf(fields), AccessKeyId: fields.accessKeyId }))
    },
    snapshot: async ({ current }) =>
      JSON.stringify((await moto.admin.send(new ListAccessKeysCommand(userOf(fieldsOf(current.document))))).AccessKeyMetadata),
    lagCreated: states.lagCreated,
    lagRevoked: states.lagRevoked,
    calls: () => proxy.calls,
    setFault: proxy.setFault,
    ...COMMON,
    stop: async () => {
      await proxy.close()
      await moto.stop()
    }
  }
}

/** Which keys are inactive, and how many more calls with one are answered as if its last change had not been made. */
function keyStates() {
  const lags = new Map<string, number>()
  const revoked = new Map<string, string>()
  let created = 0
  let ended = 0
  const note = (action: string, params: URLSearchParams, body: string): void => {
    const id = params.get('AccessKeyId') ?? /<AccessKeyId>(\w+)</.exec(body)?.[1] ?? ''
    const isOff = action === 'DeleteAccessKey' || params.get('Status') === 'Inactive'
    if (isOff) revoked.set(id, params.get('UserName') ?? '')
    else revoked.delete(id)
    lags.set(id, isOff ? ended : action === 'CreateAccessKey' ? created : 0)
  }
  return {
    isInactive: (id: string) => revoked.has(id),
    lagCreated: (calls: number) => {
      created = calls
    },
    lagRevoked: (calls: number) => {
      ended = calls
    },
    async answer({ action, params, signed }: QueryRequest, forward: () => Promise<ProviderAnswer>): Promise<ProviderAnswer> {
      if (action !== 'GetCallerIdentity') {
        const answer = await forward()
        if (answer.status === 200 && /^(Create|Update|Delete)/.test(action)) note(action, params, String(answer.body))
        return answer
      }
      const id = authorizationOf(signed.headers)?.accessKeyId ?? ''
      const [lag, user] = [lags.get(id) ?? 0, revoked.get(id)]
      if (lag === 0) return user === undefined ? inJson(await forward()) : stsError(...UNKNOWN)
      lags.set(id, lag - 1)
      return user === undefined ? stsError(...UNKNOWN) : identity(user)
    }
  }
}

function inJson({ status, body }: ProviderAnswer): ProviderAnswer {
  const text = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(String(body))?.[1] ?? ''
  return status === 200 ? identity(text('Arn').split('/').at(-1) ?? '') : stsError(status, text('Code'), text('Message'))
}

/** As it came: the host is signed. */
function forwarded(url: string, { signed }: QueryRequest): Promise<ProviderAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: signed.method, headers: signed.headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.on('error', reject).end(signed.body)
  })
}
