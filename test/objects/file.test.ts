import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { folder } from '../../shared/objects/file.ts'
import { objectsSuite } from '../conformance/objects.ts'
import { all, bytesOf, codeOf, namesOf, signal, textFrom } from '../conformance/objects-harness.ts'

const roots: string[] = []
async function newRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'keyturn-objects-'))
  roots.push(root)
  return root
}
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true })
})

async function written(root: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), name)
  }
}

objectsSuite('a folder', async () => {
  const root = await newRoot()
  return {
    open: () => folder({ folder: root }),
    nowhere: folder({ folder: join(root, 'nowhere') }),
    write: async (name, bytes) => {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), bytes)
    },
    remove: (name) => rm(join(root, name)),
    network: 'a disk has no network in between; what happens to a process that dies is tested by itself',
    close: async () => undefined
  }
})

describe('a folder', () => {
  test('is listed in the order of the bytes of names, as the clouds do it', async () => {
    const root = await newRoot()
    await written(root, '\u{1F511}', '\uFF5E', 'é', 'z', 'a/b', 'a!', 'a.b/c', 'A')
    expect(await namesOf(folder({ folder: root }), '')).toEqual(['A', 'a!', 'a.b/c', 'a/b', 'z', 'é', '\uFF5E', '\u{1F511}'])
  })

  test('with links to files and folders is listed through them, and a loop ends', async () => {
    const root = await newRoot()
    await written(root, 'real/log', 'real/deep/log')
    await symlink('real', join(root, 'other'))
    await symlink('real/log', join(root, 'link.log'))
    await symlink('..', join(root, 'real/up'))
    await symlink('itself', join(root, 'itself'))
    const objects = folder({ folder: root })
    const below = ['deep/log', 'log', 'up']
    const names = ['itself', 'link.log', ...below.map((name) => `other/${name}`), ...below.map((name) => `real/${name}`)]
    expect(await namesOf(objects, '')).toEqual(names)
    expect(await textFrom(objects, 'link.log', 0)).toBe('real/log')
    expect(await textFrom(objects, 'other/deep/log', 0)).toBe('real/deep/log')
    expect(await codeOf(all(objects.read('real/up', 0, signal())))).toBe('invalid/object')
    expect(await codeOf(all(objects.read('itself', 0, signal())))).toBe('invalid/object')
  })

  test('leaves nothing out unsaid: what is listed and no plain file says so when it is read', async () => {
    const root = await newRoot()
    await symlink('/nowhere/at/all', join(root, 'dangling'))
    execFileSync('mkfifo', [join(root, 'pipe')])
    await writeFile(Buffer.concat([Buffer.from(`${root}/latin-`), Buffer.from([0xe4])]), 'x')
    const objects = folder({ folder: root })
    expect(await namesOf(objects, '')).toEqual(['dangling', 'latin-\uFFFD', 'pipe'])
    expect(await codeOf(all(objects.read('dangling', 0, signal())))).toBe('not-found/object')
    expect(await codeOf(all(objects.read('pipe', 0, signal())))).toBe('invalid/object')
    expect(await codeOf(all(objects.read('latin-\uFFFD', 0, signal())))).toBe('not-found/object')
  })

  test('is listed without what was deleted since its names were read', async () => {
    const root = await newRoot()
    await written(root, 'a', 'b', 'c')
    const seen: string[] = []
    for await (const { name } of folder({ folder: root }).list('', signal())) {
      seen.push(name)
      if (name === 'a') await rm(join(root, 'b'))
    }
    expect(seen).toEqual(['a', 'c'])
  })

  test('that is a file, or is not there, is no archive', async () => {
    const root = await newRoot()
    await written(root, 'file')
    for (const wrong of ['file', 'nothing'])
      expect(await codeOf(namesOf(folder({ folder: join(root, wrong) }), ''))).toBe('not-found/archive')
  })

  test('ends a list whose signal is over', async () => {
    const root = await newRoot()
    await written(root, 'a')
    expect(await codeOf(all(folder({ folder: root }).list('', AbortSignal.abort())))).toBe('unavailable/archive')
  })

  test('that may not be read is denied, and so is a folder in it, when it is read', async () => {
    const root = await newRoot()
    await written(root, 'closed/log', 'mine.log')
    await chmod(root, 0o755)
    await chmod(join(root, 'closed'), 0o700)
    await chmod(join(root, 'mine.log'), 0o644)
    if (process.getuid?.() !== 0) await chmod(join(root, 'closed'), 0)
    if (process.getuid?.() !== 0) await chmod(root, 0o555)
    expect(await lookedAt(root)).toEqual({
      list: ['closed', 'mine.log'],
      closed: 'denied/archive',
      folder: 'denied/archive',
      mine: 'mine.log',
      put: 'denied/archive'
    })
    await chmod(root, 0o700)
    if (process.getuid?.() !== 0) await chmod(root, 0o000)
    expect(await lookedAt(root)).toMatchObject({ list: 'denied/archive', mine: 'denied/archive', put: 'denied/archive' })
    await chmod(root, 0o700)
    await chmod(join(root, 'closed'), 0o700)
  })
})

/** By somebody else than root, who may read everything. */
async function lookedAt(root: string): Promise<unknown> {
  const child = worker('look', root, 0, process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {})
  const [[message]] = await Promise.all([once(child, 'message'), once(child, 'exit')])
  return message
}

function worker(job: string, root: string, count: number, as: { uid?: number; gid?: number } = {}): ChildProcess {
  return fork(new URL('./file-worker.ts', import.meta.url), [job, root, String(count)], as)
}

describe('a file', () => {
  test('that grows is read on from where it ended', async () => {
    const root = await newRoot()
    await written(root, 'log')
    const objects = folder({ folder: root })
    expect(await textFrom(objects, 'log', 0)).toBe('log')
    await appendFile(join(root, 'log'), ' and more')
    expect(await textFrom(objects, 'log', 3)).toBe(' and more')
  })

  test('that is written is its owner’s only, and nothing is left beside it', async () => {
    const root = await newRoot()
    await folder({ folder: root }).put('deep/state', bytesOf('x'), undefined, signal())
    expect((await stat(join(root, 'deep/state'))).mode & 0o777).toBe(0o600)
    expect(await readdir(join(root, 'deep'))).toEqual(['state'])
  })

  test('has another tag after each write, however fast they are, and whatever the clock says', async () => {
    const root = await newRoot()
    const objects = folder({ folder: root })
    const tags = [await objects.put('state', bytesOf('00'), undefined, signal())]
    for (let n = 1; n < 50; n++) tags.push(await objects.put('state', bytesOf('00'), tags.at(-1), signal()))
    const ahead = new Date(Date.now() + 86_400_000)
    await utimes(join(root, 'state'), ahead, ahead)
    tags.push((await objects.describe('state', signal()))?.tag ?? '')
    for (let n = 1; n < 50; n++) tags.push(await objects.put('state', bytesOf('00'), tags.at(-1), signal()))
    expect(new Set(tags.map((tag) => tag.split('-')[0])).size).toBe(tags.length)
    expect((await objects.describe('state', signal()))?.changedAt).toBeGreaterThan(ahead.getTime())
  })

  test.each(['../up', 'a/../../up', '/etc/passwd', 'a//b', './a', '', 'a/', '.keyturn-state.lock', 'a\0b', 'x'.repeat(300)])(
    'of the name `%s` is none that the folder can have',
    async (name) => {
      const objects = folder({ folder: await newRoot() })
      const works = [
        objects.describe(name, signal()),
        objects.get(name, 10, signal()),
        all(objects.read(name, 0, signal())),
        objects.put(name, bytesOf('x'), undefined, signal())
      ]
      expect(await Promise.all(works.map(codeOf))).toEqual(works.map(() => 'invalid/object'))
    }
  )

  test('is not written where a folder is, nor below another file', async () => {
    const root = await newRoot()
    await written(root, 'a/log')
    const objects = folder({ folder: root })
    expect(await codeOf(objects.put('a', bytesOf('x'), undefined, signal()))).toBe('invalid/object')
    expect(await codeOf(objects.put('a/log/deep', bytesOf('x'), undefined, signal()))).toBe('invalid/object')
    expect(await objects.describe('a/log/deep', signal())).toBeUndefined()
    expect(await codeOf(all(objects.read('a', 0, signal())))).toBe('invalid/object')
    expect(await namesOf(objects, '')).toEqual(['a/log'])
  })

  test('is not written when the time is over', async () => {
    const objects = folder({ folder: await newRoot() })
    expect(await codeOf(objects.put('state', bytesOf('x'), undefined, AbortSignal.abort()))).toBe('unavailable/archive')
    expect(await objects.describe('state', signal())).toBeUndefined()
  })

  test('that another process keeps locked is waited for until the time is over', async () => {
    const root = await newRoot()
    await symlink('another-machine|boot|1|1|1-1-0', join(root, '.keyturn-state.lock'))
    const objects = folder({ folder: root })
    expect(await codeOf(objects.put('state', bytesOf('x'), undefined, AbortSignal.timeout(50)))).toBe('unavailable/archive')
    expect(await namesOf(objects, '')).toEqual([])
  })

  test('that several processes write loses nothing, and is never seen torn', async () => {
    const root = await newRoot()
    const children = [1, 2, 3].map(() => worker('count', root, 40))
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
    expect(codes).toEqual([0, 0, 0])
    expect((await textFrom(folder({ folder: root }), 'state/count', 0)).split('\n')[0]).toBe('120')
  })

  test('is the old one or the new one when its writer is killed, and the next writer goes on', async () => {
    const root = await newRoot()
    let atLeast = 0
    for (let n = 0; n < 8; n++) {
      const child = worker('count', root, 1_000_000)
      for (let heard = 0; heard <= n; heard++) await once(child, 'message')
      atLeast += n + 1
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
    const last = worker('count', root, 1)
    expect((await once(last, 'exit'))[0]).toBe(0)
    const objects = folder({ folder: root })
    expect(Number((await textFrom(objects, 'state/count', 0)).split('\n')[0])).toBeGreaterThan(atLeast)
    expect(await namesOf(objects, '')).toEqual(['state/count'])
  })
})
