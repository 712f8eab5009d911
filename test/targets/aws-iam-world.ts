import { randomUUID } from 'node:crypto'
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  type IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand
} from '@aws-sdk/client-iam'
import { afterAll, afterEach } from 'vitest'
import { ADMIN, startIam } from '../doubles/iam.ts'
import { callerIdentity, type IamAccount, iamClient, type Keys, type UserKeys } from '../doubles/iam-caller.ts'
import { startIamHarness } from '../doubles/iam-harness.ts'

/** One harness for all tests of a file: nothing that a test turned outlives it. */
export async function iamOfFile() {
  const h = await startIamHarness()
  afterEach(() => {
    h.setFault(undefined)
    h.iam.setPageSize(100)
  })
  afterAll(() => h.stop())
  const ops = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = h.calls().length
    await work()
    return h
      .calls()
      .slice(before)
      .map(({ op }) => op)
  }
  return { h, ops }
}

/** One user with one key, and short words for what is done: each gives `done`, or the status and the code of the refusal. */
export interface IamSubject extends IamAccount {
  readonly user1: UserKeys
  readonly admin: IAMClient
  /** As the administrator, or as whoever has these keys. */
  create(user?: string, as?: Keys): Promise<string>
  turn(status: 'Active' | 'Inactive', id?: string, user?: string): Promise<string>
  remove(id?: string, user?: string): Promise<string>
  list(user?: string): Promise<string>
  lastUse(id?: string): Promise<string>
  /** What STS says of the user's key, or of these. */
  call(keys?: Partial<Keys>, aheadMs?: number): Promise<string>
}

export const UNKNOWN_ID = 'AKIAIOSFODNN7EXAMPLE'

/** The administrator's and a user's doings at one server. */
export async function iamSubject(account: IamAccount): Promise<IamSubject & { end(): void }> {
  const user1 = await account.user()
  const admin = iamClient(account.url, account.adminKeys)
  const { userName, accessKeyId } = user1
  return {
    ...account,
    ...{ user1, admin },
    create: async (user = userName, as = account.adminKeys) => {
      const client = iamClient(account.url, as)
      return ending(client.send(new CreateAccessKeyCommand({ UserName: user }))).finally(() => client.destroy())
    },
    turn: (Status, AccessKeyId = accessKeyId, UserName = userName) =>
      ending(admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status }))),
    remove: (AccessKeyId = accessKeyId, UserName = userName) =>
      ending(admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }))),
    list: (UserName = userName) => ending(admin.send(new ListAccessKeysCommand({ UserName }))),
    lastUse: (AccessKeyId = accessKeyId) => ending(admin.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))),
    call: async (keys = {}, aheadMs = 0) => said(await callerIdentity(account.url, { ...user1, ...keys }, aheadMs)),
    end: () => admin.destroy()
  }
}

const ending = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (e: { name?: string; $metadata?: { httpStatusCode?: number } }) =>
      `${e.$metadata?.httpStatusCode} ${e.name?.replace(/Exception$/, '')}`
  )

/** The status, and the code in whatever form it comes. */
export async function said(response: Response): Promise<string> {
  const text = await response.text()
  const code = /"Code":"(\w+)"|<Code>(\w+)</.exec(text)
  return response.status === 200 ? 'done' : `${response.status} ${code?.[1] ?? code?.[2] ?? 'without a code'}`
}

/** The account of the double. */
export async function doubleAccount(): Promise<IamAccount> {
  const iam = await startIam()
  return {
    url: iam.url,
    adminKeys: ADMIN,
    user: async () => {
      const userName = `app-${randomUUID()}`
      iam.addUser(userName)
      const { id, value } = iam.addKey(userName)
      return { userName, accessKeyId: id, secretAccessKey: value }
    },
    stop: iam.close
  }
}
