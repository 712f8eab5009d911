import { hasCode, KeyturnError } from '../../shared/errors.ts'
import { folder } from '../../shared/objects/file.ts'

/** One process of test/objects/file.test.ts: counts in one object, or looks at a folder, and tells its parent what it found. */
const [, , job = '', root = '', count = '0'] = process.argv
const objects = folder({ folder: root })
const signal = (): AbortSignal => AbortSignal.timeout(60_000)

/** A number, and enough after it to show whether it was torn. */
const stateOf = (n: number): Uint8Array => Buffer.from(`${n}\n`.repeat(5_000))

function numberIn(bytes: Uint8Array): number {
  const [first = '', ...rest] = Buffer.from(bytes).toString('utf8').trimEnd().split('\n')
  if (rest.length !== 4_999 || rest.some((line) => line !== first)) throw new Error('torn')
  return Number(first)
}

/** Adds one; true when it was this process that did. */
async function countOne(): Promise<boolean> {
  const found = await objects.get('state/count', 1_000_000, signal())
  try {
    await objects.put('state/count', stateOf(found ? numberIn(found.bytes) + 1 : 1), found?.tag, signal())
    return true
  } catch (e) {
    if (hasCode(e, 'conflict/object-changed')) return false
    throw e
  }
}

const said = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((e: unknown) => (e instanceof KeyturnError ? e.code : String(e)))

async function namesIn(): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { name } of objects.list('', signal())) names.push(name)
  return names
}

async function readWhole(name: string): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of objects.read(name, 0, signal())) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}

if (job === 'count') {
  for (let done = 0; done < Number(count); ) {
    if (!(await countOne())) continue
    done++
    process.send?.('counted')
  }
} else if (job === 'look') {
  process.send?.({
    list: await said(namesIn()),
    closed: await said(readWhole('closed/log')),
    folder: await said(readWhole('closed')),
    mine: await said(readWhole('mine.log')),
    put: await said(objects.put('new', Buffer.from('x'), undefined, signal()))
  })
}
if (job !== '') process.disconnect?.()
