import { appendFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ArchivedLog, keepRead, listingOf, unreadLogs } from '../../shared/audit/archive.ts'
import { type AuditState, decodeState, emptyState, encodeState } from '../../shared/audit/state.ts'
import { folder } from '../../shared/objects/file.ts'
import { idOf, recordOf } from './cloudtrail-records.ts'
import { packed, readAll } from './logs.ts'

const roots: string[] = []
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true })
})

const signal = AbortSignal.timeout(600_000)
const recordsOf = (...all: readonly number[]): string => all.map((n) => `${JSON.stringify(recordOf({}, n))}\n`).join('')

interface Scene {
  readonly write: (name: string, content: string | Uint8Array, daysAgo?: number) => Promise<void>
  readonly append: (name: string, content: string) => Promise<void>
  /** One run: what was opened and from where, which events counted, and what was wrong. */
  readonly run: () => Promise<{ opened: readonly string[]; ids: readonly string[]; problems: readonly string[] }>
  readonly state: () => AuditState
}

async function scene(): Promise<Scene> {
  const root = await mkdtemp(join(tmpdir(), 'keyturn-archive-'))
  roots.push(root)
  let state = emptyState()
  const write: Scene['write'] = async (name, content, daysAgo = 0) => {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
    const at = new Date(Date.UTC(2026, 6, 30) - daysAgo * 86_400_000)
    await utimes(join(root, name), at, at)
  }
  const archive = { place: folder({ folder: root }), prefix: '', format: undefined, signal }
  const run: Scene['run'] = async () => {
    const logs: ArchivedLog[] = []
    const all = async function* () {
      for await (const log of unreadLogs(archive, state)) {
        logs.push(log)
        yield log
      }
    }
    const read = await readAll(all(), { seen: state.seen })
    keepRead(state, logs, read, [{ name: listingOf(archive), isWhole: true }])
    state = decodeState(encodeState(state))
    return {
      opened: logs.map(({ object, from }) => `${object.name} ${from}`),
      ids: read.ids,
      problems: read.sources.flatMap(({ name, problem }) => (problem ? [`${name.slice(root.length + 1)}: ${problem}`] : []))
    }
  }
  return { write, run, state: () => state, append: (name, content) => appendFile(join(root, name), content) }
}

const DAY = 86_400_000
const TODAY = Date.UTC(2026, 6, 30)
const keep = ({ objects }: AuditState, name: string, daysAgo: number): void =>
  void objects.set(name, { tag: '', changedAt: TODAY - daysAgo * DAY, offset: 0 })

const TRAIL = 'AWSLogs/123456789012/CloudTrail/us-east-1/2026/07/01/a.json.gz'

describe('a folder of logs', () => {
  test('with other files in it gives the logs, and says which are none', async () => {
    const { write, run } = await scene()
    const other = [
      'AWSLogs/1/CloudTrail-Digest/d.json.gz',
      'AWSLogs/1/CloudTrail-Insight/i.json.gz',
      'b.sha256',
      'c.zip',
      'd.png',
      'e.parquet'
    ]
    for (const name of other) await write(name, recordsOf(9))
    await write(TRAIL, packed(JSON.stringify({ Records: [recordOf({}, 1), recordOf({}, 2)] })))
    await write('plain.log', recordsOf(3))
    await write('README', 'These are logs.\n'.repeat(40))
    await write('empty', '')
    const { opened, ids, problems } = await run()
    expect(opened).toEqual([`${TRAIL} 0`, 'README 0', 'empty 0', 'plain.log 0'])
    expect(ids).toEqual([1, 2, 3].map(idOf))
    expect(problems).toEqual(['README: invalid/log: nothing at its beginning is a record of any known log'])
  })

  test('is read once, and then only what is new: objects, lines, and a file that was begun anew', async () => {
    const { write, append, run } = await scene()
    await write(TRAIL, packed(recordsOf(1, 2)))
    await write('growing.log', recordsOf(3))
    await write('rotated.log', recordsOf(4, 5))
    expect((await run()).ids).toEqual([1, 2, 3, 4, 5].map(idOf))
    expect((await run()).opened).toEqual([])

    const at = Buffer.byteLength(recordsOf(3))
    await append('growing.log', recordsOf(6))
    await write('rotated.log', recordsOf(7))
    await write(TRAIL.replace('a.json', 'b.json'), packed(recordsOf(8)))
    const { opened, ids } = await run()
    expect(opened).toEqual([`${TRAIL.replace('a.json', 'b.json')} 0`, `growing.log ${at}`, 'rotated.log 0'])
    expect(ids).toEqual([8, 6, 7].map(idOf))
  })

  test('has packed ones read from their beginning when they have changed, whatever their names', async () => {
    const { write, run } = await scene()
    await write('short', packed(recordsOf(1).trimEnd()))
    expect((await run()).ids).toEqual([idOf(1)])
    await write('short', packed(recordsOf(1, ...Array.from({ length: 50 }, (_, n) => n + 10)), 50), -1)
    const { opened, ids, problems } = await run()
    expect([opened, ids.length, problems]).toEqual([['short 0'], 50, []])
  })

  test('has one that is cut off read again, until it is whole', async () => {
    const { write, run } = await scene()
    const whole = packed(recordsOf(1, 2, 3))
    await write(TRAIL, whole.subarray(0, -12))
    expect((await run()).problems).toEqual([`${TRAIL}: invalid/log: the gzip file is cut off`])
    expect((await run()).opened).toEqual([`${TRAIL} 0`])
    await write(TRAIL, whole, -1)
    expect((await run()).problems).toEqual([])
    expect((await run()).opened).toEqual([])
  })

  test('remembers objects of seven days, and takes older ones for read', async () => {
    const { write, run, state } = await scene()
    await write('old.log', recordsOf(1), 9)
    await write('older.log', recordsOf(2), 20)
    await run()
    await write('new.log', recordsOf(3))
    await write('late.log', recordsOf(4), 6)
    expect((await run()).ids).toEqual([4, 3].map(idOf))
    expect([...state().objects.keys()].map((name) => name.split('/').at(-1))).toEqual(['late.log', 'new.log'])
    expect((await run()).opened).toEqual([])
  })

  test('that was not read to its end takes nothing for read, and forgets nothing', async () => {
    const state = emptyState()
    const listing = (isWhole: boolean) => [{ name: 's3://logs/', isWhole }]
    keep(state, 's3://logs/old', 20)
    keep(state, 's3://logs/new', 0)
    keepRead(state, [], await readAll([]), listing(false))
    expect([state.objects.size, state.listedSince.size]).toEqual([2, 0])
    keepRead(state, [], await readAll([]), listing(true))
    expect([[...state.objects.keys()], [...state.listedSince]]).toEqual([['s3://logs/new'], [['s3://logs/', TODAY - 7 * DAY]]])
  })

  test('is one of several in a state: none takes what is old in another for read', async () => {
    const state = emptyState()
    keep(state, 's3://logs/new', 0)
    keepRead(state, [], await readAll([]), [{ name: 's3://logs/', isWhole: true }])
    keep(state, 's3://others/old', 30)
    keep(state, 's3://others/older', 38)
    keepRead(state, [], await readAll([]), [{ name: 's3://others/', isWhole: true }])
    expect([...state.listedSince.values()].map((since) => (TODAY - since) / DAY)).toEqual([7, 37])
    expect([...state.objects.keys()]).toEqual(['s3://logs/new', 's3://others/old'])
  })

  test('below another one is forgotten when both have taken it for read', async () => {
    const state = emptyState()
    const inner = { name: 's3://logs/a/', isWhole: true }
    keep(state, 's3://logs/a/old', 20)
    keep(state, 's3://logs/a/new', 0)
    keepRead(state, [], await readAll([]), [inner, { name: 's3://logs/', isWhole: false }])
    expect(state.objects.size).toBe(2)
    keepRead(state, [], await readAll([]), [{ name: 's3://logs/', isWhole: true }])
    expect([...state.objects.keys()]).toEqual(['s3://logs/a/new'])
  })

  test('without a listing, of objects that events named, is forgotten after a week and never taken for read', async () => {
    const state = emptyState()
    keep(state, 's3://logs/old', 8)
    keep(state, 's3://logs/new', 0)
    keepRead(state, [], await readAll([]), [])
    expect([[...state.objects.keys()], state.listedSince.size]).toEqual([['s3://logs/new'], 0])
  })

  test('may be of more objects than a call takes arguments', async () => {
    const state = emptyState()
    for (let n = 0; n < 300_000; n++) state.objects.set(`logs/${n}`, { tag: '', changedAt: n * 10_000, offset: 0 })
    keepRead(state, [], await readAll([]), [{ name: 'logs/', isWhole: true }])
    expect([state.objects.size, state.listedSince.get('logs/')]).toEqual([60_481, 2_999_990_000 - 7 * 86_400_000])
  })
})
