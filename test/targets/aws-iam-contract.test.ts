import { CreateAccessKeyCommand, GetAccessKeyLastUsedCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callerIdentity, type IamAccount } from '../doubles/iam-caller.ts'
import { startMotoIam } from '../doubles/iam-moto.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'
import { doubleAccount, type IamSubject, iamSubject, said, UNKNOWN_ID } from './aws-iam-world.ts'

/** What AWS shows, and how to see it. */
type Sight = readonly [aws: unknown, see: (s: IamSubject) => Promise<unknown>]

interface Difference {
  readonly says: string
  readonly shows: unknown
}

/** IAM's codes and fields: recorded from AWS in localstack, tests/aws/services/iam/test_iam_users.snapshot.json, TestUserAccessKeys. */
const IAM: Readonly<Record<string, Sight>> = {
  'a new key is active, its id AKIA and 16 of base32, its value 40 long': [
    { isId: true, length: 40, status: 'Active' },
    async ({ admin, user1 }) => {
      const { AccessKey } = await admin.send(new CreateAccessKeyCommand({ UserName: user1.userName }))
      const { AccessKeyId = '', SecretAccessKey, Status: status } = AccessKey ?? {}
      return { isId: /^AKIA[A-Z2-7]{16}$/.test(AccessKeyId), length: SecretAccessKey?.length, status }
    }
  ],
  'a third key is refused, also beside an inactive one': [
    ['done', '409 LimitExceeded', 'done', '409 LimitExceeded'],
    async ({ create, turn }) => [await create(), await create(), await turn('Inactive'), await create()]
  ],
  'nothing is made, listed, changed or deleted of a user who is not there': [
    Array(4).fill('404 NoSuchEntity'),
    async ({ create, list, turn, remove, user1: { accessKeyId } }) => [
      await create('nobody'),
      await list('nobody'),
      await turn('Inactive', accessKeyId, 'nobody'),
      await remove(accessKeyId, 'nobody')
    ]
  ],
  'a key that is not there is neither changed nor deleted, and one is deleted once': [
    ['404 NoSuchEntity', '404 NoSuchEntity', 'done', '404 NoSuchEntity'],
    async ({ turn, remove }) => [await turn('Active', UNKNOWN_ID), await remove(UNKNOWN_ID), await remove(), await remove()]
  ],
  'a key is switched off and on, as often as it is asked for, and is listed so': [
    ['done', 'done', 'Inactive', 'done', 'done', 'Active'],
    async ({ turn, admin, user1 }) => {
      const status = async () =>
        (await admin.send(new ListAccessKeysCommand({ UserName: user1.userName }))).AccessKeyMetadata?.[0]?.Status
      const off = [await turn('Inactive'), await turn('Inactive'), await status()]
      return [...off, await turn('Active'), await turn('Active'), await status()]
    }
  ],
  'keys are listed page by page': [
    [[1, true], [1, false], 2],
    async ({ create, admin, user1 }) => {
      await create()
      const page = (Marker?: string) =>
        admin.send(new ListAccessKeysCommand({ UserName: user1.userName, MaxItems: 1, ...(Marker !== undefined && { Marker }) }))
      const first = await page()
      const second = await page(first.Marker)
      const ids = [first, second].flatMap((p) => p.AccessKeyMetadata ?? []).map((k) => k.AccessKeyId)
      return [...[first, second].map((p) => [p.AccessKeyMetadata?.length, p.IsTruncated ?? false]), new Set(ids).size]
    }
  ],
  'a key that was never used has no date, and N/A for the rest': [
    { user: true, date: undefined, Region: 'N/A', ServiceName: 'N/A' },
    async ({ admin, user1 }) => {
      const found = await admin.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: user1.accessKeyId }))
      const { LastUsedDate: date, Region, ServiceName } = found.AccessKeyLastUsed ?? {}
      return { user: found.UserName === user1.userName, date, Region, ServiceName }
    }
  ],
  'the last use of a key that is not there, or not any more, is denied to everybody': [
    ['403 AccessDenied', 'done', '403 AccessDenied'],
    async ({ lastUse, remove }) => [await lastUse(UNKNOWN_ID), await remove(), await lastUse()]
  ],
  'a caller without a policy is denied, an unknown one and a wrong value have codes of their own': [
    ['403 AccessDenied', '403 InvalidClientTokenId', '403 SignatureDoesNotMatch'],
    async ({ create, user1, adminKeys }) => [
      await create(user1.userName, user1),
      await create(user1.userName, { accessKeyId: UNKNOWN_ID, secretAccessKey: 'x' }),
      await create(user1.userName, { ...adminKeys, secretAccessKey: 'x' })
    ]
  ]
}

/** The codes: STS CommonErrors, and IAM user guide, troubleshoot_general.html; the form: aws-iam-authenticator, pkg/token/token.go. */
const STS: Readonly<Record<string, Sight>> = {
  'a user without a policy may ask who it is': ['done', ({ call }) => call()],
  'an unknown key and a wrong value have codes of their own': [
    ['403 InvalidClientTokenId', '403 SignatureDoesNotMatch'],
    async ({ call }) => [await call({ accessKeyId: UNKNOWN_ID }), await call({ secretAccessKey: 'x' })]
  ],
  'a deleted key is as unknown as one that never was': [
    ['done', '403 InvalidClientTokenId'],
    async ({ remove, call }) => [await remove(), await call()]
  ],
  'an inactive key is as unknown as one that never was': [
    ['done', '403 InvalidClientTokenId', 'done', 'done'],
    async ({ turn, call }) => [await turn('Inactive'), await call(), await turn('Active'), await call()]
  ],
  'a signature of another time has the code of a wrong value': [
    ['403 SignatureDoesNotMatch', '403 SignatureDoesNotMatch'],
    async ({ call }) => [await call({}, -20 * 60_000), await call({}, 20 * 60_000)]
  ],
  'a request without a signature is told so': [
    '403 MissingAuthenticationToken',
    async ({ url }) => said(await fetch(url, { method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15' }))
  ],
  'who accepts JSON only gets JSON, with the time in the Date header': [
    ['application/json', true],
    async ({ url, user1 }) => {
      const { headers } = await callerIdentity(url, user1)
      const isNow = Math.abs(Date.parse(headers.get('date') ?? '') - Date.now()) < 5_000
      return [headers.get('content-type')?.split(';')[0], isNow]
    }
  ]
}

/** Where moto 5.2.1 is known not to do what IAM and STS do. */
const MOTO: Readonly<Record<string, Difference>> = {
  'keys are listed page by page': { says: 'all are on one page', shows: [[2, false], [2, false], 2] },
  'the last use of a key that is not there, or not any more, is denied to everybody': {
    says: 'it is not found',
    shows: ['404 NoSuchEntity', 'done', '404 NoSuchEntity']
  },
  'an inactive key is as unknown as one that never was': { says: 'it is taken', shows: ['done', 'done', 'done', 'done'] },
  'a signature of another time has the code of a wrong value': { says: 'it is taken', shows: ['done', 'done'] },
  'a request without a signature is told so': { says: 'moto fails', shows: '500 without a code' },
  'who accepts JSON only gets JSON, with the time in the Date header': { says: 'XML', shows: ['text/xml', true] }
}

/** The same questions to every server; a difference is asserted, so that it is found out when the server is corrected. */
function contract(server: string, start: () => Promise<IamAccount>, differences: Readonly<Record<string, Difference>>): void {
  describe(`IAM and STS, as ${server} has them`, () => {
    const sights = { ...IAM, ...STS }
    let account: IamAccount
    beforeAll(async () => {
      account = await start()
    })
    afterAll(() => account.stop())

    it('have no difference listed that no test asks about', () => {
      expect(Object.keys(differences).filter((name) => !(name in sights))).toEqual([])
    })

    for (const [name, [aws, see]] of Object.entries(sights)) {
      const difference = differences[name]
      it(difference ? `${name} (not here: ${difference.says})` : name, async () => {
        const subject = await iamSubject(account)
        expect(await see(subject)).toEqual(difference ? difference.shows : aws)
        subject.end()
      })
    }
  })
}

contract('the double', doubleAccount, {})

const moto = findMoto()
if (moto === undefined) leaveOut('the contract of IAM and STS on moto', 'no moto_server (pip install "moto[server]")')
else contract('moto', () => startMotoIam(moto), MOTO)
