import { KeyturnError } from '../../shared/errors.ts'
import { refuseLong } from '../../shared/length.ts'
import { encodePatch } from '../../shared/metadata.ts'
import type { SecretCatalog, SecretFacts, SecretStore, StoreFacts } from '../../shared/ports/secret-store.ts'
import { type Instant, type SecretId, SecretText, type Token } from '../../shared/types.ts'
import {
  annotate,
  attach,
  claim,
  drop,
  factsOf,
  find,
  holder,
  type Label,
  moveCurrent,
  promote,
  type Secret,
  set,
  stage,
  type Version
} from './model-labels-state.ts'
import { type ModelService, type ModelStore, managed } from './model-store.ts'
import { looks, sent, type Wire, writes } from './model-wire.ts'

const FACTS: StoreFacts = {
  name: 'model: labels',
  compareAndSet: true,
  fence: true,
  convergenceMs: 0,
  metadataCompareAndSet: false,
  maxValueBytes: 65_536,
  cannot: 'what the model is for'
}

/**
 * A store like AWS Secrets Manager: staging labels, a true compare-and-set on AWSCURRENT, AWSPENDING which RotateSecret
 * registers without a value and which PutSecretValue moves silently, and a label of keyturn's own that is exclusive.
 */
export function labelsStore(now: () => Instant): ModelStore {
  const secrets: Record<SecretId, Secret> = {}
  const change = (id: SecretId, work: (secret: Secret) => boolean): void => {
    const secret = secrets[id]
    if (!secret) throw new KeyturnError('not-found/secret', `no secret ${id}`)
    if (work(secret)) secret.changedAt = now()
  }
  const look = (id: SecretId): SecretFacts | undefined => secrets[id] && factsOf(id, secrets[id], now())
  const connect = (wire: Wire) => connected(wire, secrets, change, look)
  return {
    kind: 'labels',
    connect,
    create(name, text, patch) {
      const version: Version = { id: `${name}-v0`, createdAt: now(), text, labels: ['AWSCURRENT'] }
      secrets[name] = { name, versions: [version], tags: encodePatch(patch).set, changedAt: now(), spent: [] }
      return name
    },
    overwrite: (id, text) =>
      change(id, (s) => {
        const version = `person-${s.versions.length}`
        s.versions.push({ id: version, createdAt: now(), text, labels: [] })
        moveCurrent(s, version)
        return true
      }),
    writeRaw: (id, key, text) => change(id, (s) => set(s, key, text)),
    look,
    valueOf: (id, version) => secrets[id]?.versions.find((v) => v.id === version)?.text,
    readable: (id) => [{ text: secrets[id]?.versions.find((v) => v.labels.includes('AWSCURRENT'))?.text ?? '' }],
    values: (id) => secrets[id]?.versions.flatMap((v) => v.text ?? []) ?? [],
    snapshot: () => JSON.stringify(secrets),
    service: serviceOf(secrets, change, now)
  }
}

function connected(
  wire: Wire,
  secrets: Record<SecretId, Secret>,
  change: (id: SecretId, work: (secret: Secret) => boolean) => void,
  look: (id: SecretId) => SecretFacts | undefined
): SecretStore & SecretCatalog {
  const write = (name: string, id: SecretId, signal: AbortSignal, work: (secret: Secret) => boolean): Promise<void> =>
    sent(signal, () => wire.call(writes(name), () => change(id, work)))
  return {
    facts: FACTS,
    describe: (id, signal) => sent(signal, () => wire.call(looks('describe'), () => look(id))),
    read: (id, version, signal) =>
      sent(signal, () =>
        wire.call(looks(`read ${version}`), () => {
          const found = secrets[id] && find(secrets[id], version)
          if (found?.text === undefined) return undefined
          const pending = found.labels.includes('AWSPENDING') || found.labels.includes('ours')
          const stages = { current: found.labels.includes('AWSCURRENT'), pending, base: found.base }
          return { text: new SecretText(found.text), createdAt: found.createdAt, stages }
        })
      ),
    claim: (id, attempt, seen, signal) => write(`claim ${attempt.token}`, id, signal, (s) => claim(s, attempt, seen, wire.now())),
    async stage(id, attempt, value, signal) {
      refuseLong(value, FACTS)
      await write(`stage ${attempt.token}`, id, signal, (s) => stage(s, attempt, value.reveal(), wire.now()))
      return undefined
    },
    async promote(id, attempt, signal) {
      await write(`promote ${attempt.token}`, id, signal, (s) => promote(s, attempt))
      return undefined
    },
    async drop(id, token, signal) {
      await write(`drop ${token}`, id, signal, (s) => drop(s, token))
      return undefined
    },
    async *list(signal) {
      const ids = await sent(signal, () => wire.call(looks('list'), () => Object.keys(secrets)))
      yield* managed(ids, look)
    },
    annotate: (id, patch, _expected, signal) =>
      write(`annotate ${Object.keys(patch).join('+')}`, id, signal, (s) => annotate(s, patch))
  }
}

function serviceOf(
  secrets: Record<SecretId, Secret>,
  change: (id: SecretId, work: (secret: Secret) => boolean) => void,
  now: () => Instant
): ModelService {
  const labelsOf = (id: SecretId, token: Token): readonly Label[] => (secrets[id] && find(secrets[id], token)?.labels) ?? []
  const elsewhere = (id: SecretId): boolean => {
    const pending = secrets[id] && holder(secrets[id], 'AWSPENDING')
    return pending !== undefined && !pending.labels.includes('AWSCURRENT')
  }
  return {
    rotateSecret(id, token) {
      if (elsewhere(id)) return false
      change(id, (s) => {
        s.versions.push({ id: token, createdAt: now(), labels: [] })
        attach(s, token, 'AWSPENDING')
        return true
      })
      return true
    },
    putPending: (id, version, text) =>
      change(id, (s) => {
        s.versions.push({ id: version, createdAt: now(), text, labels: [] })
        attach(s, version, 'AWSPENDING')
        return true
      }),
    isPending: (id, token) => labelsOf(id, token).includes('AWSPENDING') && !labelsOf(id, token).includes('AWSCURRENT'),
    goesOn: (id, token) => labelsOf(id, token).includes('AWSPENDING') || labelsOf(id, token).includes('AWSCURRENT'),
    succeed: (id, token) => {
      if (elsewhere(id) || !labelsOf(id, token).includes('AWSCURRENT')) return
      change(id, (s) => {
        s.rotatedAt = now()
        return true
      })
    }
  }
}
