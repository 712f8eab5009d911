import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { until } from '../servers/until.ts'

/** The demo's own temporary folder, which its server's user may enter. */
const folder = mkdtempSync(join(tmpdir(), 'keyturn-test-'))
chmodSync(folder, 0o711)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const env = { PATH: process.env.PATH ?? '', TMPDIR: folder }
const demo = ['functions/local/demo.ts']

test('the demo rotates under load, is killed at every step, and no client notices', { timeout: 90_000 }, async () => {
  const began = performance.now()
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...demo, '--json'], { env })
  expect(performance.now() - began).toBeLessThan(30_000)
  expect(stderr).toBe('')
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({ rotations: 4, clientErrors: 0 })
  expect(result.kills).toBeGreaterThanOrEqual(16)
  expect(result.queries).toBeGreaterThan(1_000)
  expect(result.longestPauseMs).toBeGreaterThan(0)
  expect(result.proofs.map((p: { role: string }) => p.role)).toEqual(['shop', 'shop_b', 'shop', 'shop_b'])
  for (const proof of result.proofs) expect(proof).toMatchObject({ refusal: '28P01', seen: '28P01' })
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  ['while the server is made', undefined],
  ['while clients are at work', /rotation 1 .* is current/]
])('the demo ends at Ctrl-C %s, and leaves nothing behind', async (_, line) => {
  const child = spawn(process.execPath, demo, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  if (line === undefined) await until('its folders', 20_000, () => readdirSync(folder).length >= 2 || undefined)
  else for await (const said of createInterface({ input: child.stdout })) if (line.test(said)) break
  child.stdout.resume()
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(readdirSync(folder)).toEqual([])
})
