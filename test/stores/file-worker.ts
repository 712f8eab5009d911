import { createHash } from 'node:crypto'
import { hasCode } from '../../shared/errors.ts'
import { fileStore, readCurrent } from '../../shared/stores/file.ts'
import { SecretText } from '../../shared/types.ts'

/** One process of test/stores/file.test.ts: rotates, annotates or reads one secret, and tells its parent what it did. */
const [, , job = '', folder = '', count = '0'] = process.argv
export const NAME = 'hammered/secret'
const store = fileStore({ folder })
const signal = (): AbortSignal => AbortSignal.timeout(60_000)

/** A value that shows whether it was torn: large, numbered, with its own checksum. */
export function numbered(n: number): string {
  const body = `${n}:${String(n % 10).repeat(20_000)}`
  return `${body}:${createHash('sha256').update(body).digest('hex')}`
}

/** The number, or an error when the text is not whole. */
export function numberOf(text: string): number {
  const n = Number(text.slice(0, text.indexOf(':')))
  if (text !== numbered(n)) throw new Error(`torn: ${text.slice(0, 20)} … ${text.length} characters`)
  return n
}

/** Makes the next value, so that every promotion counts one on. True when it was this process that did. */
async function rotateOnce(): Promise<boolean> {
  const base = (await store.describe(NAME, signal()))?.current ?? ''
  const value = await store.read(NAME, base, signal())
  if (!value) return false
  const attempt = { token: crypto.randomUUID(), base, driver: 'keyturn' as const }
  try {
    await store.stage(NAME, attempt, new SecretText(numbered(numberOf(value.text.reveal()) + 1)), signal())
    await store.promote(NAME, attempt, signal())
    return true
  } catch (e) {
    if (hasCode(e, 'conflict/pending-other', 'conflict/current-moved')) return false
    throw e
  } finally {
    await store.drop(NAME, attempt.token, signal())
  }
}

/** Finishes what a dead process left, or drops it where current moved on; then makes the next value. */
async function carryOn(): Promise<boolean> {
  const facts = await store.describe(NAME, signal())
  const [pending] = facts?.pendings ?? []
  if (!facts?.current || !pending) return await rotateOnce()
  const attempt = { token: pending.token, base: pending.base ?? '', driver: 'keyturn' as const }
  try {
    if (pending.base === facts.current || pending.version === facts.current) await store.promote(NAME, attempt, signal())
    await store.drop(NAME, pending.token, signal())
  } catch (e) {
    if (!hasCode(e, 'conflict/current-moved', 'not-found/version')) throw e
  }
  return false
}

async function annotateOnce(): Promise<boolean> {
  const facts = await store.describe(NAME, signal())
  const next = String(Number(facts?.metadata.owner ?? '0') + 1)
  try {
    await store.annotate(NAME, { owner: next }, facts?.revision, signal())
    return true
  } catch (e) {
    if (hasCode(e, 'conflict/metadata-changed')) return false
    throw e
  }
}

async function main(): Promise<void> {
  let done = 0
  let last = 0
  process.on('message', () => process.exit(0))
  while (job === 'read' || done < Number(count)) {
    if (job === 'read') {
      const n = numberOf((await readCurrent(folder, NAME)).reveal())
      if (n < last) throw new Error(`read ${n} after ${last}`)
      last = n
      if (done++ === 0) process.send?.('reading')
    } else if (await JOBS[job]?.()) {
      done++
      process.send?.('did one')
    }
  }
  process.disconnect?.()
}

const JOBS: Readonly<Record<string, () => Promise<boolean>>> = { rotate: rotateOnce, 'carry on': carryOn, annotate: annotateOnce }
if (job === 'read' || job in JOBS) await main()
