import { KeyturnError } from '../../shared/errors.ts'
import { refuseLong } from '../../shared/length.ts'
import { encodePatch } from '../../shared/metadata.ts'
import type { Attempt, Promoted, SecretCatalog, SecretStore, StoreFacts } from '../../shared/ports/secret-store.ts'
import { type Instant, type SecretId, SecretText, type VersionId } from '../../shared/types.ts'
import {
  add,
  annotate,
  CONVERGENCE_MS,
  claimed,
  type Decided,
  dropped,
  factsOf,
  newest,
  pendingVersion,
  type Secret,
  staged,
  textOf,
  type Version
} from './model-siblings-state.ts'
import { type ModelStore, managed } from './model-store.ts'
import { looks, sent, type Wire, writes } from './model-wire.ts'

type Kind = 'sibling' | 'stale' | 'cas'

/** What each kind promises. Azure has no compare-and-set at all, GCP one on metadata, KV v2 one on every value. */
const FACTS: Readonly<Record<Kind, Omit<StoreFacts, 'name'>>> = {
  sibling: {
    compareAndSet: false,
    fence: false,
    convergenceMs: 0,
    metadataCompareAndSet: false,
    maxValueBytes: 65_536,
    cannot: 'what the model is for'
  },
  stale: {
    compareAndSet: false,
    fence: false,
    convergenceMs: CONVERGENCE_MS,
    metadataCompareAndSet: true,
    maxValueBytes: 65_536,
    cannot: 'what the model is for'
  },
  cas: {
    compareAndSet: true,
    fence: true,
    convergenceMs: 0,
    metadataCompareAndSet: false,
    maxValueBytes: 65_536,
    cannot: 'what the model is for'
  }
}

/**
 * Stores where the newest version is current, and a pending value is kept in a sibling secret with its token and base.
 * `sibling` is like Azure Key Vault, `stale` like Google Secret Manager (metadata may be an old one, and so may what an
 * ordinary reader gets; what is read by number is not), `cas` like Vault KV v2. What an adapter asks and what it writes
 * are two calls, and somebody may come between them.
 */
export function siblingStore(kind: Kind, now: () => Instant): ModelStore {
  const secrets: Record<SecretId, Secret> = {}
  const find = (id: SecretId): Secret => {
    const secret = secrets[id]
    if (!secret) throw new KeyturnError('not-found/secret', `no secret ${id}`)
    return secret
  }
  return {
    kind,
    connect: (wire) => connected(kind, wire, secrets, find),
    create(name, text, patch) {
      const meta = { tags: encodePatch(patch).set, revision: 0, changedAt: now(), recorded: -1, before: undefined }
      secrets[name] = { name, versions: [], attempt: undefined, values: {}, spent: [], meta, revision: 0 }
      add(find(name), now(), text, undefined)
      return name
    },
    overwrite: (id, text) => add(find(id), now(), text, undefined),
    writeRaw: (id, key, text) => annotate(find(id), now(), { [key]: text }, []),
    look: (id) => secrets[id] && factsOf(kind, secrets[id], secrets[id], secrets[id], secrets[id].meta, now()),
    valueOf: (id, version) => secrets[id] && textOf(secrets[id], version)?.text,
    readable(id) {
      const until = (after: Version | undefined) => after && ((after.createdAt + FACTS[kind].convergenceMs) as Instant)
      const all = find(id).versions.map(({ text }, n, versions) => ({ text, until: until(versions[n + 1]) }))
      return all.filter((v) => v.until === undefined || v.until > now())
    },
    values: (id) => [...find(id).versions.map((v) => v.text), ...Object.values(find(id).values).map((v) => v.text)],
    snapshot: () => JSON.stringify(secrets)
  }
}

function connected(
  kind: Kind,
  wire: Wire,
  secrets: Record<SecretId, Secret>,
  find: (id: SecretId) => Secret
): SecretStore & SecretCatalog {
  const lookAt = <T>(name: string, id: SecretId, work: (secret: Secret) => T): Promise<T> =>
    wire.call(looks(name), () => work(find(id)))
  const write = (name: string, id: SecretId, work: (secret: Secret) => void): Promise<void> =>
    wire.call(writes(name), () => work(find(id)))
  const decide = sibling(kind, lookAt, write)
  /** GCP: the claim before a stage is an etag-guarded write of the annotations, which proves that the look was not stale. */
  const shown = new Map<SecretId, number>()
  const proveFresh = (s: Secret): void => {
    if (kind !== 'stale') return
    if ((shown.get(s.name) ?? s.meta.revision) !== s.meta.revision)
      throw new KeyturnError('conflict/pending-other', 'the annotations changed since the look, or the look was stale')
    annotate(s, wire.now(), {}, [])
    shown.set(s.name, s.meta.revision)
  }
  return {
    facts: { name: `model: ${kind}`, ...FACTS[kind] },
    describe: (id, signal) =>
      sent(signal, async () => {
        // The sibling first: between the two, an attempt can only become current, which the look at main then shows. The
        // other way round, one that was promoted and dropped in between is in neither, and current is the version before.
        const pending = await wire.call(looks('look at pending'), () => secrets[id] && { ...secrets[id] })
        if (!pending) return undefined
        const main = await lookAt('look at main', id, (s) => ({ ...s }))
        const meta = kind === 'stale' ? await annotations(wire, find(id)) : main.meta
        shown.set(id, meta.revision)
        return factsOf(kind, main, pending, pending, meta, wire.now())
      }),
    read: (id, version, signal) =>
      sent(signal, () =>
        lookAt(`read ${version}`, id, (s) => {
          const found = textOf(s, version)
          return found && { text: new SecretText(found.text), createdAt: found.createdAt }
        })
      ),
    claim: (id, attempt, seen, signal) =>
      sent(signal, () => write(`claim ${attempt.token}`, id, (s) => claimed(s, attempt, seen, wire.now())?.(s))),
    stage: (id, attempt, value, signal) =>
      sent(signal, async () => {
        refuseLong(value, { name: kind, ...FACTS[kind] })
        await decide(`stage ${attempt.token}`, id, (s) => {
          const change = staged(s, attempt, value.reveal(), wire.now())
          return (
            change &&
            ((current) => {
              proveFresh(current)
              change(current)
            })
          )
        })
        return { version: pendingVersion(attempt.token) }
      }),
    promote: (id, attempt, signal) =>
      sent(signal, async () => {
        const promoted = await promote(kind, wire, lookAt, write, id, attempt)
        shown.delete(id)
        return promoted
      }),
    drop: (id, token, signal) =>
      sent(signal, async () => {
        let isOurs = false
        await decide(`drop ${token}`, id, (s) => {
          isOurs = s.attempt?.token === token
          return dropped(s, token)
        })
        return isOurs ? 'nothing pending' : undefined
      }),
    async *list(signal) {
      const ids = await sent(signal, () => wire.call(looks('list'), () => Object.keys(secrets)))
      yield* managed(ids, (id) => factsOf(kind, find(id), find(id), find(id), find(id).meta, wire.now()))
    },
    annotate: (id, patch, expected, signal) =>
      sent(signal, () =>
        write(`annotate ${Object.keys(patch).join('+')}`, id, (s) => {
          if (kind === 'stale' && expected !== undefined && expected !== String(s.meta.revision))
            throw new KeyturnError('conflict/metadata-changed', 'the metadata changed since the look')
          const { set, remove } = encodePatch(patch)
          annotate(s, wire.now(), set, remove)
          shown.set(id, s.meta.revision)
        })
      )
  }
}

/** Metadata converge late: the answer may be the state before the last change, for a while. */
const annotations = (wire: Wire, secret: Secret) =>
  wire.call({ ...looks('get annotations'), mayBeStale: true }, (stale) => {
    const { before, changedAt } = secret.meta
    return stale && before && changedAt + CONVERGENCE_MS > wire.now() ? before : secret.meta
  })

type Ask = <T>(name: string, id: SecretId, work: (secret: Secret) => T) => Promise<T>
type Write = (name: string, id: SecretId, work: (secret: Secret) => void) => Promise<void>

/**
 * Look at the sibling, decide, write it: the write compares with the look where the store can. Where it cannot, a stage
 * writes a journal first that can (a blob with its etag), because one request delivered twice is two runs with one token,
 * and the second value would overwrite the one that the first has applied; a drop overwrites.
 */
const sibling =
  (kind: Kind, lookAt: Ask, write: Write) =>
  async (name: string, id: SecretId, decision: (secret: Secret) => Decided): Promise<void> => {
    const { change, revision } = await lookAt(`${name}: look`, id, (s) => ({ change: decision(s), revision: s.revision }))
    if (!change) return
    await write(name, id, (s) => {
      if ((kind !== 'sibling' || name.startsWith('stage')) && s.revision !== revision)
        throw new KeyturnError('conflict/pending-other', 'the sibling changed since the look')
      change(s)
    })
  }

async function promote(
  kind: Kind,
  wire: Wire,
  lookAt: Ask,
  write: Write,
  id: SecretId,
  attempt: Attempt
): Promise<Promoted | undefined> {
  const { token, base } = attempt
  const text = await lookAt(`promote ${token}: read pending`, id, (s) =>
    s.attempt?.token === token ? s.values[token]?.text : undefined
  )
  let made: Version | undefined
  const commit = (s: Secret): void => {
    if (text !== undefined) made = add(s, wire.now(), text, { token, base })
    if (kind === 'stale') annotate(s, wire.now(), {}, [])
  }
  if (kind === 'cas')
    await write(`promote ${token}`, id, (s) => {
      if (!isDone(s, token, base, text)) commit(s)
    })
  else if (!(await lookAt(`promote ${token}: look at main`, id, (s) => isDone(s, token, base, text))))
    await write(`promote ${token}`, id, commit)
  return made && { version: made.id, at: made.createdAt, recorded: true }
}

/** True: the attempt is current already. Throws where it must not become so. */
function isDone(secret: Secret, token: string, base: VersionId, text: string | undefined): boolean {
  const current = newest(secret)
  if (current.made?.token === token) return true
  if (current.id !== base) throw new KeyturnError('conflict/current-moved', `the newest is ${current.id}, not ${base}`)
  if (text === undefined) throw new KeyturnError('not-found/version', `${token} has no value`)
  return false
}
