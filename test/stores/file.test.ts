import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createSecret, fileStore, readCurrent, writeCurrent } from '../../shared/stores/file.ts'
import { disk } from '../../shared/stores/file-disk.ts'
import { instant, SecretText } from '../../shared/types.ts'
import { storeSuite } from '../conformance/store.ts'
import { attemptFrom, type Inject, refusal, type StoreHarness, signal } from '../conformance/store-harness.ts'
import { NAME, numbered, numberOf } from './file-worker.ts'

const folders: string[] = []
async function folderOf(): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'keyturn-file-')), 'secrets')
  folders.push(folder)
  return folder
}
afterAll(async () => {
  for (const folder of folders) await rm(join(folder, '..'), { recursive: true })
})

const errno = (code: string): Error => Object.assign(new Error(`${code}: as the disk says it`), { code })

async function startFileStore(): Promise<StoreHarness> {
  let ahead = 0
  let fault: string | undefined
  const failing = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (fault && fault !== 'lost') throw errno(fault)
      return await call(...args)
    }
  }
  const faulty = {
    ...disk,
    read: failing(disk.read),
    names: failing(disk.names),
    replace: failing(async (path: string, text: string) => {
      await disk.replace(path, text)
      if (fault !== 'lost') return
      fault = undefined
      throw errno('EIO')
    })
  }
  const inject = (code: string): Inject => {
    return async () => {
      fault = code
      return async () => {
        fault = undefined
      }
    }
  }
  const settings = { folder: await folderOf(), now: () => Date.now() + ahead, disk: faulty }
  return {
    store: fileStore(settings),
    create: async (name, text, metadata) => {
      await createSecret(settings, name, new SecretText(text), metadata)
      return name
    },
    overwrite: (id, text) => writeCurrent(settings, id, new SecretText(text)),
    writeRaw: async (id, key, text) => {
      const path = join(settings.folder, `${encodeURIComponent(id)}.json`)
      const file = JSON.parse(await readFile(path, 'utf8'))
      await writeFile(path, JSON.stringify({ ...file, metadata: { ...file.metadata, [key]: text } }))
    },
    ordinaryRead: async (id) => (await readCurrent(settings.folder, id)).reveal(),
    advance: (ms) => {
      ahead += ms
    },
    faults: {
      denied: inject('EACCES'),
      'no answer': inject('EIO'),
      'lost answer': inject('lost'),
      'throttled a little': 'a disk is slow, but asks nobody to slow down',
      'throttled on and on': 'a disk is slow, but asks nobody to slow down',
      disabled: 'a file has no state besides being there or not'
    },
    close: async () => undefined
  }
}

storeSuite('file', startFileStore)

describe('a secret’s file', () => {
  test('is readable by its owner only, and so is the folder', async () => {
    const folder = await folderOf()
    await createSecret({ folder }, 'db/app', new SecretText('x'), {})
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, 'db%2Fapp.json'))).mode & 0o777).toBe(0o600)
  })

  test('may be written by a person', async () => {
    const folder = await folderOf()
    await createSecret({ folder }, 'other', new SecretText('x'), {})
    await writeFile(join(folder, 'mine.json'), '{"current": "1", "versions": {"1": {"text": "by hand"}}}')
    const store = fileStore({ folder })
    expect((await readCurrent(folder, 'mine')).reveal()).toBe('by hand')
    const attempt = attemptFrom('1')
    await store.stage('mine', attempt, new SecretText('next'), signal())
    await store.promote('mine', attempt, signal())
    expect(await store.describe('mine', signal())).toMatchObject({ current: attempt.token, previous: '1' })
  })

  test('that is no secret file is refused without quoting it', async () => {
    const folder = await folderOf()
    await createSecret({ folder }, 'other', new SecretText('x'), { kind: 'postgres' })
    await writeFile(join(folder, 'torn.json'), '{"current": "1", "versions": {"1": {"text": "planted')
    const failed = await fileStore({ folder })
      .describe('torn', signal())
      .catch((e: unknown) => e)
    expect(failed).toMatchObject({ code: 'unsupported/store' })
    expect(String((failed as Error).stack)).not.toContain('planted')
  })

  test('stays in its folder, whatever the name', async () => {
    const folder = await folderOf()
    const names = [
      '../outside',
      '/etc/x',
      '..',
      '.',
      'a/../../b',
      'CON',
      'App',
      'app',
      'ü/🔑',
      'x.lock',
      'x.json',
      'a\0b',
      '%2e%2e'
    ]
    for (const name of names) await createSecret({ folder }, name, new SecretText(`is ${name}`), { kind: 'postgres' })
    expect(await readdir(join(folder, '..'))).toEqual(['secrets'])
    expect(new Set((await readdir(folder)).map((n) => n.toLowerCase())).size).toBe(names.length)
    const found: string[] = []
    for await (const facts of fileStore({ folder }).list(signal())) found.push(facts.name)
    expect(found.sort()).toEqual([...names].sort())
    for (const name of names) expect((await readCurrent(folder, name)).reveal()).toBe(`is ${name}`)
    await refusal(createSecret({ folder }, '', new SecretText('x'), {}), 'invalid/request')
    await refusal(createSecret({ folder }, 'x'.repeat(300), new SecretText('x'), {}), 'invalid/request')
    await refusal(createSecret({ folder }, 'app', new SecretText('x'), {}), 'invalid/request')
  })

  test('keeps a bounded number of old versions, and no value of a dropped attempt', async () => {
    const folder = await folderOf()
    let clock = 1_700_000_000_000
    const store = fileStore({ folder, now: () => clock++ })
    await createSecret({ folder }, 'one', new SecretText('value 0'), {})
    for (let n = 1; n <= 20; n++) {
      const dropped = attemptFrom((await store.describe('one', signal()))?.current ?? '')
      await store.stage('one', dropped, new SecretText(`dropped ${n}`), signal())
      await store.drop('one', dropped.token, signal())
      const attempt = { ...dropped, token: crypto.randomUUID() }
      await store.stage('one', attempt, new SecretText(`value ${n}`), signal())
      await store.promote('one', attempt, signal())
      await store.drop('one', attempt.token, signal())
    }
    const text = await readFile(join(folder, 'one.json'), 'utf8')
    expect(text).not.toContain('dropped')
    expect(text.match(/"value \d+"/g)).toHaveLength(12)
    expect((await store.describe('one', signal()))?.rotatedAt).toBeGreaterThan(instant(1_700_000_000_000))
  })
})

const worker = (job: string, folder: string, count: number): ChildProcess =>
  fork(new URL('./file-worker.ts', import.meta.url), [job, folder, String(count)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })

async function ended(child: ChildProcess): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  if (code !== 0) throw new Error(`a process ended with ${code}: ${said}`)
}

describe('several processes', () => {
  test('lose no update, tear no read, and never show an older value', async () => {
    const folder = await folderOf()
    await createSecret({ folder }, NAME, new SecretText(numbered(0)), { kind: 'postgres' })
    const reader = worker('read', folder, 0)
    const readerEnd = ended(reader)
    await once(reader, 'message')
    await Promise.all(
      [...['rotate', 'rotate', 'rotate'], ...['annotate', 'annotate']].map((job) => ended(worker(job, folder, 40)))
    )
    reader.send('stop')
    await readerEnd
    const facts = await fileStore({ folder }).describe(NAME, signal())
    expect(numberOf((await readCurrent(folder, NAME)).reveal())).toBe(120)
    expect(facts).toMatchObject({ pendings: [], metadata: { owner: '80' } })
    expect(await readdir(folder)).toEqual(['hammered%2Fsecret.json'])
  })

  test('killed anywhere leave a whole file, no lock that stays, and nothing lost', async () => {
    const folder = await folderOf()
    await createSecret({ folder }, NAME, new SecretText(numbered(0)), { kind: 'postgres' })
    let told = 0
    const rounds = 12
    for (let round = 0; round < rounds; round++) {
      const children = [1, 2].map(() => worker('carry on', folder, 10_000))
      for (const child of children) child.on('message', () => told++)
      await once(children[0] as ChildProcess, 'message')
      // Some way into its next turn, another way in each round.
      for (let n = 0; n < round * 3; n++) await readCurrent(folder, NAME)
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(children.map((child) => child.exitCode === null && child.signalCode === null && once(child, 'exit')))
      numberOf((await readCurrent(folder, NAME)).reveal())
    }
    await ended(worker('carry on', folder, 1))
    const n = numberOf((await readCurrent(folder, NAME)).reveal())
    expect(n).toBeGreaterThanOrEqual(told + 1)
    expect((await fileStore({ folder }).describe(NAME, signal()))?.pendings).toEqual([])
    expect((await readdir(folder)).filter((name) => !name.endsWith('.json'))).toEqual([])
  })
})
