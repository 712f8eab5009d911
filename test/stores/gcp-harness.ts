import { randomUUID } from 'node:crypto'
import type { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import type { KeyturnError } from '../../shared/errors.ts'
import { encodePatch } from '../../shared/metadata.ts'
import { type GcpSecretManager, type GcpSecretManagerSettings, gcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import { type Inject, PLANTED, type StoreHarness, signal } from '../conformance/store-harness.ts'
import {
  type GoogleSecretsDouble,
  type GoogleSecretsOptions,
  type IncomingCall,
  startGoogleSecrets
} from '../doubles/google-secrets.ts'
import { clientOf } from './google-contract-subject.ts'

export const PROJECT = 'keyturn-test'
export const NUMBER = 'projects/123456789012'

/** What keyturn's function may do, and nothing else: the list of the manual. */
export const RIGHTS = [
  'secretmanager.secrets.get',
  'secretmanager.secrets.list',
  'secretmanager.secrets.create',
  'secretmanager.secrets.update',
  'secretmanager.versions.get',
  'secretmanager.versions.add',
  'secretmanager.versions.access',
  'secretmanager.versions.destroy'
]

const PRINCIPALS: GoogleSecretsOptions['principals'] = [
  { name: 'owner@example.com', tokens: ['owner-token'], may: { '*': ['roles/owner'] } },
  { name: 'app@example.com', tokens: ['app-token'], may: { '*': ['roles/secretmanager.secretAccessor'] } },
  { name: 'keyturn@example.com', tokens: ['keyturn-token'], may: { '*': RIGHTS } }
]

/** Before keyturn's call takes effect. */
export type Before = (call: IncomingCall) => ReturnType<NonNullable<GoogleSecretsOptions['fault']>>

export interface GcpPlace {
  readonly double: GoogleSecretsDouble
  /** The vendor's own client, as a person with every right. */
  readonly owner: SecretManagerServiceClient
  /** A store of its own, as another process has one. */
  store(settings?: Partial<GcpSecretManagerSettings>): GcpSecretManager
  /** Keyturn's calls only. */
  setFault(before: Before | undefined): void
  create(name: string, text: string | undefined, annotations: Readonly<Record<string, string>>): Promise<string>
  /** A managed secret with one version, and its name. */
  fresh(text: string, annotations?: Readonly<Record<string, string>>): Promise<string>
  add(name: string, text: string): Promise<number>
  annotate(name: string, annotations: Readonly<Record<string, string>>): Promise<void>
  /** What another process sees as pending, and the value that it would carry on. */
  pendingOf(name: string): Promise<{ readonly token: string; readonly value: string | undefined } | undefined>
  /** The ordinary read: `latest`, by the vendor's client, as the application. */
  latest(name: string): Promise<{ readonly number: number; readonly text: string }>
  /** Keyturn's calls that the work made, in order. */
  calls(work: () => Promise<unknown>): Promise<readonly string[]>
  advance(ms: number): void
  close(): Promise<void>
}

export const resource = (id: string): string => (id.includes('/') ? id : `projects/${PROJECT}/secrets/${id}`)

/** The double of Secret Manager, a person and an application at it by the vendor's client, and keyturn's store. */
export async function gcpPlace(
  settings: Partial<GcpSecretManagerSettings> = {},
  options: GoogleSecretsOptions = {}
): Promise<GcpPlace> {
  let ahead = 0
  const double = await startGoogleSecrets({ now: () => Date.now() + ahead, principals: PRINCIPALS ?? [], ...options })
  const [owner, app] = [clientOf(double.url, 'owner-token'), clientOf(double.url, 'app-token')]
  const isKeyturns = (call: { readonly principal: string | undefined }) => call.principal === 'keyturn@example.com'
  const add = async (name: string, text: string): Promise<number> => {
    const [made] = await owner.addSecretVersion({ parent: resource(name), payload: { data: Buffer.from(text) } })
    return Number(made.name?.split('/').at(-1))
  }
  const store: GcpPlace['store'] = (more = {}) =>
    gcpSecretManager({
      project: PROJECT,
      endpoint: double.url,
      authorize: async () => new Headers({ authorization: 'Bearer keyturn-token' }),
      requestTimeoutMs: 1_500,
      ...settings,
      ...more
    })
  const create: GcpPlace['create'] = async (name, text, annotations) => {
    const secret = { replication: { automatic: {} }, annotations: { ...annotations } }
    const [made] = await owner.createSecret({ parent: `projects/${PROJECT}`, secretId: name, secret })
    if (text !== undefined) await add(name, text)
    return made.name ?? name
  }
  return {
    double,
    owner,
    add,
    store,
    create,
    fresh: async (text, annotations = {}) => {
      const name = `s-${randomUUID().slice(0, 8)}`
      await create(name, text, { 'keyturn-kind': 'postgres', ...annotations })
      return name
    },
    pendingOf: async (name) => {
      const other = store()
      const pending = (await other.describe(name, signal()))?.pendings[0]
      const stored = pending && (await other.read(name, pending.version, signal()))
      return pending && { token: pending.token, value: stored?.text.reveal().replace(`${PLANTED} `, '') }
    },
    setFault: (before) => double.setFault(before && ((call) => (isKeyturns(call) ? before(call) : undefined))),
    annotate: async (name, annotations) => {
      const [found] = await owner.getSecret({ name: resource(name) })
      const secret = { name: resource(name), annotations: { ...found.annotations, ...annotations } }
      await owner.updateSecret({ secret, updateMask: { paths: ['annotations'] } })
    },
    latest: async (name) => {
      const [found] = await app.accessSecretVersion({ name: `${resource(name)}/versions/latest` })
      return {
        number: Number(found.name?.split('/').at(-1)),
        text: Buffer.from(found.payload?.data ?? '').toString('utf8')
      }
    },
    calls: async (work) => {
      const before = double.calls.length
      await work()
      return double.calls.slice(before).flatMap((call) => (isKeyturns(call) ? [call.op] : []))
    },
    advance: (ms) => {
      ahead += ms
    },
    close: async () => {
      await Promise.all([owner.close(), app.close()])
      await double.close()
    }
  }
}

export const annotationsOf = (patch: Parameters<typeof encodePatch>[0]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(encodePatch(patch).set).map(([key, value]) => [`keyturn-${key}`, value]))

export interface GcpHarness extends StoreHarness {
  readonly place: GcpPlace
  readonly store: GcpSecretManager
}

/**
 * `lagMs`: what keyturn and others write is seen that much later, but by number. Then a secret of a test was made before,
 * and the application asks when its answer has converged.
 */
export async function startGcp(lagMs = 0, settings: Partial<GcpSecretManagerSettings> = {}): Promise<GcpHarness> {
  const place = await gcpPlace(settings)
  /**
   * Where the store cannot compare, a person's write comes at the worst moment: between the question for the next number
   * and the write of a promotion, which is what the declared fact is about.
   */
  let late: (() => Promise<unknown>) | undefined
  let fault: Before | undefined
  const overtake = async (): Promise<void> => {
    const write = late
    late = undefined
    await write?.()
  }
  place.setFault(async (call) => {
    const isCommit = call.op === 'AddSecretVersion' && !call.name.endsWith('-pending')
    if (isCommit || ['GetSecret', 'ListSecrets'].includes(call.op)) await overtake()
    return fault?.(call)
  })
  /** Visible at once, like all that was done before. */
  const settled = async <T>(work: () => Promise<T>): Promise<T> => {
    place.double.setLag(0)
    const done = await work()
    place.double.setLag(lagMs)
    return done
  }
  return {
    place,
    store: place.store(),
    create: (name, text, metadata) => settled(() => place.create(name, text, annotationsOf(metadata))),
    overwrite: async (id, text) => {
      late = () => place.add(id, text)
    },
    writeRaw: (id, key, text) => settled(() => place.annotate(id, { [`keyturn-${key}`]: text })),
    ordinaryRead: async (id) => {
      await overtake()
      const { number, text } = await place.latest(id)
      if (number === place.double.versions(id).length) return text
      place.advance(lagMs)
      return (await place.latest(id)).text
    },
    advance: place.advance,
    faults: faults(
      (before) => {
        fault = before
      },
      () => place.advance(lagMs)
    ),
    close: place.close
  }
}

const WRITES = ['UpdateSecret', 'AddSecretVersion', 'CreateSecret', 'DestroySecretVersion']

/** `converge`: whoever calls again after a lost answer does so when the effect can be seen. */
function faults(set: (before: Before | undefined) => void, converge: () => void): StoreHarness['faults'] {
  const end = async () => set(undefined)
  const always = (fault: Before): Inject => {
    return async () => {
      set(fault)
      return end
    }
  }
  const once = (hit: (call: IncomingCall) => boolean, fault: Awaited<ReturnType<Before>>): Inject => {
    return async () => {
      let done = false
      set((call) => {
        if (done) converge()
        if (done || !hit(call)) return undefined
        done = true
        return fault
      })
      return end
    }
  }
  return {
    denied: always(() => ({ error: 'PERMISSION_DENIED' })),
    'throttled on and on': always(() => ({ error: 'RESOURCE_EXHAUSTED' })),
    'no answer': always(() => 'before'),
    'throttled a little': once(() => true, { error: 'RESOURCE_EXHAUSTED' }),
    'lost answer': once(({ op }) => WRITES.includes(op), 'lost'),
    disabled: 'Secret Manager disables versions, and no secrets; gcp-versions.test.ts tells what becomes of those'
  }
}

export const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (e: KeyturnError) => e.code
  )
