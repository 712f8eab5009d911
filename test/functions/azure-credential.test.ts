import { afterEach, describe, expect, test } from 'vitest'
import { managedIdentity } from '../../functions/azure/credential.ts'
import { type Code, KeyturnError } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import { principalOf } from '../doubles/azure-credential.ts'
import { type ManagedIdentityDouble, type ManagedIdentityOptions, startManagedIdentity } from '../doubles/managed-identity.ts'

const VAULT = 'https://vault.azure.net'
const STORAGE = 'https://storage.azure.com'
const MINUTE = 60_000

const open: ManagedIdentityDouble[] = []
afterEach(async () => {
  for (const double of open.splice(0)) await double.close()
})

interface Options extends ManagedIdentityOptions {
  readonly clientId?: string
  readonly header?: string
}

async function identity({ clientId, header, ...options }: Options = {}) {
  const double = await startManagedIdentity(options)
  open.push(double)
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER } = double.env
  const credential = managedIdentity({ endpoint, header: new SecretText(header ?? IDENTITY_HEADER), clientId, pausesMs: [0, 0] })
  /** Whom the token is for, by the double's own signature, and for how long. */
  const principal = async (resource = VAULT) => {
    const token = await credential.getToken(`${resource}/.default`)
    return token && principalOf(token.token, resource)
  }
  return { double, credential, principal }
}

const codeOf = async (work: Promise<unknown>): Promise<Code | undefined> => {
  const e = await work.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  if (e instanceof KeyturnError) return e.code
  throw e ?? new Error('nothing was refused')
}

describe('a token of the managed identity', () => {
  test('is the app’s own, for the resource that was asked for, and says when it ends', async () => {
    const { principal, credential } = await identity({ lifetimeMs: 60 * MINUTE })
    expect([await principal(VAULT), await principal(STORAGE)]).toEqual(['app', 'app'])
    const { expiresOnTimestamp = 0 } = (await credential.getToken(`${VAULT}/.default`)) ?? {}
    expect(Math.abs(expiresOnTimestamp - Date.now() - 60 * MINUTE)).toBeLessThan(MINUTE)
  })

  test('is the user-assigned identity’s where its client id is given', async () => {
    const clientId = '22222222-2222-4222-8222-222222222222'
    const { principal, double } = await identity({ clientId, systemAssigned: null, userAssigned: { [clientId]: 'rotator' } })
    expect(await principal()).toBe('rotator')
    expect(double.calls).toEqual([{ resource: VAULT, clientId }])
  })

  test('is asked for once, however many wait for it, and once for each resource', async () => {
    const { principal, double } = await identity()
    await Promise.all([principal(), principal(), principal(STORAGE), principal()])
    await principal()
    expect(double.calls.map(({ resource }) => resource)).toEqual([VAULT, STORAGE])
  })

  test('is asked for anew in the last five minutes of its life, and not before', async () => {
    const before = await identity({ lifetimeMs: 6 * MINUTE })
    const inside = await identity({ lifetimeMs: 4 * MINUTE })
    for (const { principal } of [before, before, inside, inside]) await principal()
    expect([before.double.calls.length, inside.double.calls.length]).toEqual([1, 2])
  })

  test('is used to its end where the endpoint gives no newer one', async () => {
    const { principal, double } = await identity({ lifetimeMs: 4 * MINUTE })
    await principal()
    double.setFault(() => ({ status: 400, message: 'planted' }))
    expect(await principal()).toBe('app')
    expect(double.calls).toHaveLength(2)
  })

  test.each(['before', { status: 500, message: 'planted' }, { status: 429, message: 'planted' }] as const)(
    'is asked for again after %j, which a host that has just started may answer',
    async (fault) => {
      const { principal, double } = await identity({ fault: (_, index) => (index < 2 ? fault : undefined) })
      expect(await principal()).toBe('app')
      expect(double.calls).toHaveLength(3)
    }
  )
})

describe('no token', () => {
  const refusal = (status: number) => ({ fault: () => ({ status, message: 'planted' }) })
  const REFUSALS: Readonly<Record<string, readonly [Code, number, Options]>> = {
    'no such identity': ['invalid/config', 1, { systemAssigned: null }],
    'a header that is not this process’s': ['denied/store', 1, { header: 'another' }],
    'an endpoint that refuses': ['denied/store', 1, refusal(403)],
    'an endpoint that wants to be asked less': ['throttled/store', 3, refusal(429)],
    'an endpoint that fails': ['unavailable/store', 3, refusal(503)],
    'an endpoint that hangs up': ['unavailable/store', 3, { fault: () => 'before' }]
  }
  test.each(Object.entries(REFUSALS))(
    'for %s is a code, and tells nothing of what was said',
    async (_, [code, calls, options]) => {
      const { credential, double } = await identity(options)
      const asked = credential.getToken(`${VAULT}/.default`)
      expect(await codeOf(asked)).toBe(code)
      expect(double.calls).toHaveLength(calls)
      await expect(asked).rejects.not.toThrow(/planted|another/)
    }
  )

  test('for an address where nobody listens', async () => {
    const { credential, double } = await identity()
    await double.close()
    open.length = 0
    expect(await codeOf(credential.getToken(`${VAULT}/.default`))).toBe('unavailable/store')
  })

  test('for a caller whose time is over; whoever waits for the same token gets it', async () => {
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    const { credential, principal } = await identity({
      fault: () => {
        answer()
        return undefined
      }
    })
    const abort = new AbortController()
    const cut = codeOf(credential.getToken(`${VAULT}/.default`, { abortSignal: abort.signal }))
    const other = principal()
    abort.abort()
    expect([await cut, await other]).toEqual(['unavailable/deadline', 'app'])
    await asked
    expect(await codeOf(credential.getToken(`${STORAGE}/.default`, { abortSignal: abort.signal }))).toBe('unavailable/deadline')
  })

  test('for a caller is not kept: the next one asks again', async () => {
    const { credential, principal } = await identity({ fault: (_, i) => (i === 0 ? { status: 400, message: '' } : undefined) })
    expect(await codeOf(credential.getToken(`${VAULT}/.default`))).toBe('invalid/config')
    expect(await principal()).toBe('app')
  })
})
