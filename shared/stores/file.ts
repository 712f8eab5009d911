import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { KeyturnError } from '../errors.ts'
import { refuseLong } from '../length.ts'
import type { MetadataPatch } from '../metadata.ts'
import type { Attempt, SecretCatalog, SecretStore, StoreFacts } from '../ports/secret-store.ts'
import { setAside } from '../set-aside.ts'
import { instant, iso, type SecretId, SecretText, type Token, type VersionId } from '../types.ts'
import { type Disk, disk, diskError } from './file-disk.ts'
import {
  createdAt,
  factsOf,
  fileNameOf,
  nameOf,
  parseSecret,
  patchMetadata,
  printSecret,
  revisionOf,
  type SecretFile
} from './file-format.ts'

export interface FileStoreSettings {
  /** Where the secrets are, one JSON file each. Made, 0700, at the first write. */
  readonly folder: string
  /** The store's clock, ms since 1970. Default: the machine's. */
  readonly now?: () => number
  /** Default: node:fs. */
  readonly disk?: Disk
}

const FACTS: StoreFacts = {
  name: 'file',
  compareAndSet: true,
  fence: true,
  convergenceMs: 0,
  metadataCompareAndSet: true,
  // Ours: what a cloud's store takes, so that a secret can move there.
  maxValueBytes: 65_536,
  cannot: 'encrypt: who can read the folder has the secrets'
}

/**
 * Secrets in a folder of this machine: the embedded default. Not encrypted: who can read the folder (0700, files 0600)
 * has the secrets. Every write is one atomic rename of the secret's one file, made under a lock (file-lock.ts) that is
 * held for the read, the decision and the write, so several processes may use one folder; a crash at any point leaves
 * the old file or the new one. A version's id is its attempt's token.
 * A person may write such a file: `{"current": "1", "versions": {"1": {"text": "…"}}}` in `<name>.json`.
 */
export function fileStore(settings: FileStoreSettings): SecretStore & SecretCatalog {
  const place = placeOf(settings)
  return {
    facts: FACTS,
    async describe(id, signal) {
      const file = await look(place, id, signal)
      return file && factsOf(id, file, instant(place.now()))
    },
    async read(id, version, signal) {
      const file = await look(place, id, signal)
      if (!file) throw missing(id)
      const text = file.versions[version]?.text
      if (text === undefined) return undefined
      const pending = file.pending?.token === version ? file.pending : undefined
      const stages = { current: version === file.current, pending: pending !== undefined, base: pending?.base }
      return { text: new SecretText(text), createdAt: createdAt(file, version), stages }
    },
    claim: (id, attempt, seen, signal) =>
      change(place, id, signal, (file) => claimed(file, attempt, seen, iso(instant(place.now())))),
    async stage(id, attempt, value, signal) {
      refuseLong(value, FACTS)
      await change(place, id, signal, (file) => staged(file, attempt, value.reveal(), iso(instant(place.now()))))
      return undefined
    },
    async promote(id, attempt, signal) {
      await change(place, id, signal, (file) => promoted(file, attempt, iso(instant(place.now()))))
      return undefined
    },
    async drop(id, token, signal) {
      await change(place, id, signal, (file) => dropped(file, token))
      return undefined
    },
    list: (signal) => list(place, signal),
    annotate: (id, patch, expected, signal) =>
      change(place, id, signal, (file) => {
        if (expected !== undefined && expected !== revisionOf(file))
          throw new KeyturnError('conflict/metadata-changed', `the metadata of ${id} is not what it was at the look`)
        return patchMetadata(file, patch)
      })
  }
}

/** Makes a secret. Fails with `invalid/request` when it is there already. */
export async function createSecret(
  settings: FileStoreSettings,
  name: SecretId,
  text: SecretText,
  patch: MetadataPatch
): Promise<void> {
  const place = placeOf(settings)
  await write(place, name, AbortSignal.timeout(10_000), (file) => {
    if (file) throw new KeyturnError('invalid/request', `there is a secret ${name} already`)
    const id = randomUUID()
    const versions = { [id]: { createdAt: iso(instant(place.now())), text: text.reveal() } }
    return patchMetadata({ current: id, versions, spent: [], metadata: {} }, patch)
  })
}

/** Makes a value current that a person has, past any attempt; the value before becomes previous. */
export async function writeCurrent(settings: FileStoreSettings, name: SecretId, text: SecretText): Promise<void> {
  const place = placeOf(settings)
  await change(place, name, AbortSignal.timeout(10_000), (file) => {
    const id = randomUUID()
    const versions = { ...file.versions, [id]: { createdAt: iso(instant(place.now())), text: text.reveal() } }
    return { ...file, versions, current: id, previous: file.current }
  })
}

/**
 * The ordinary read: what an application does. One read of one file, no lock; in a shell:
 * `jq -r '.versions[.current].text' <folder>/<name>.json`. Fails with `not-found/secret`.
 */
export async function readCurrent(folder: string, name: SecretId): Promise<SecretText> {
  const file = await look(placeOf({ folder }), name, AbortSignal.timeout(10_000))
  if (!file) throw missing(name)
  return new SecretText(file.versions[file.current]?.text ?? '')
}

interface Place {
  readonly folder: string
  readonly now: () => number
  readonly disk: Disk
}

const placeOf = (settings: FileStoreSettings): Place => ({ now: Date.now, disk, ...settings })
const missing = (id: SecretId): KeyturnError => new KeyturnError('not-found/secret', `there is no secret ${id}`)
const isMissing = (e: unknown): boolean => (e as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'

async function look(place: Place, id: SecretId, signal: AbortSignal): Promise<SecretFile | undefined> {
  if (signal.aborted) throw new KeyturnError('unavailable/store', `the time to read ${id} was over`)
  try {
    return parseSecret(await place.disk.read(join(place.folder, fileNameOf(id))), id)
  } catch (e) {
    if (isMissing(e)) return undefined
    throw diskError(e, `reading ${id}`)
  }
}

/** Read, decide, write, under the lock. Nothing is written when the file is what it should be. */
async function write(
  place: Place,
  id: SecretId,
  signal: AbortSignal,
  decide: (file: SecretFile | undefined) => SecretFile
): Promise<void> {
  const path = join(place.folder, fileNameOf(id))
  try {
    await place.disk.locked(path, signal, async () => {
      const before = await look(place, id, signal)
      const after = decide(before)
      if (after !== before) await place.disk.replace(path, printSecret(after, instant(place.now())))
    })
  } catch (e) {
    throw diskError(e, `writing ${id}`)
  }
}

const change = (place: Place, id: SecretId, signal: AbortSignal, decide: (file: SecretFile) => SecretFile): Promise<void> =>
  write(place, id, signal, (file) => {
    if (!file) throw missing(id)
    return decide(file)
  })

/** A pending that was promoted is an attempt that ended: it holds nobody up. */
const holder = (file: SecretFile): Token | undefined =>
  file.pending && !file.spent.includes(file.pending.token) ? file.pending.token : undefined

function refuseSpent(file: SecretFile, token: Token): void {
  if (file.spent.includes(token)) throw new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)
}

function claimed(file: SecretFile, attempt: Attempt, seen: readonly string[], at: string): SecretFile {
  refuseSpent(file, attempt.token)
  const held = holder(file)
  if (held !== undefined) throw new KeyturnError('busy/claimed', `the attempt ${held} is under way`)
  if (file.current !== attempt.base)
    throw new KeyturnError('conflict/current-moved', `current is ${file.current}, not ${attempt.base}`)
  return { ...file, pending: { ...attempt, claimedAt: at, seen } }
}

function staged(file: SecretFile, attempt: Attempt, text: string, at: string): SecretFile {
  const { token, base, driver } = attempt
  refuseSpent(file, token)
  const held = holder(file)
  if (held !== undefined && held !== token) throw new KeyturnError('conflict/pending-other', `the attempt ${held} is pending`)
  const before = file.versions[token]?.text
  if (before !== undefined && before !== text)
    throw new KeyturnError('conflict/token-spent', `the attempt ${token} has another value already`)
  if (before !== undefined) return file
  return { ...file, pending: { token, base, driver }, versions: { ...file.versions, [token]: { createdAt: at, text } } }
}

function promoted(file: SecretFile, { token, base }: Attempt, at: string): SecretFile {
  if (file.current === token) return file
  if (file.current !== base) throw new KeyturnError('conflict/current-moved', `current is ${file.current}, not ${base}`)
  if (file.pending?.token !== token || file.versions[token] === undefined)
    throw new KeyturnError('not-found/version', `the attempt ${token} has no value`)
  return { ...file, current: token, previous: base, rotatedAt: at, spent: [...file.spent, token] }
}

function dropped(file: SecretFile, token: Token): SecretFile {
  const held = file.pending?.token === token
  const ended = file.spent.includes(token)
  if (!held && ended) return file
  const versions: Record<VersionId, SecretFile['versions'][string]> = { ...file.versions }
  if (held && !ended) delete versions[token]
  return { ...file, versions, pending: held ? undefined : file.pending, spent: ended ? file.spent : [...file.spent, token] }
}

async function* list(place: Place, signal: AbortSignal) {
  const rest = setAside()
  const names = await place.disk.names(place.folder).catch((e: unknown) => {
    if (isMissing(e)) return []
    throw diskError(e, 'listing the secrets')
  })
  for (const name of names.map(nameOf)) {
    if (name === undefined) continue
    try {
      const file = await look(place, name, signal)
      if (file?.metadata.kind !== undefined) yield factsOf(name, file, instant(place.now()))
    } catch (e) {
      rest.put(e)
    }
  }
  rest.say()
}
