import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Damage } from '../../shared/audit/summary.ts'
import { idOf } from './cloudtrail-records.ts'

interface Said {
  readonly ids: readonly string[]
  readonly damage: readonly Damage[]
  readonly peakMiB: number
}

/** A log with one record of so many MiB, read in a process of its own. */
async function readLong(layout: 'lines' | 'object', mebibytes: number): Promise<Said> {
  const child = fork(new URL('./long-record.ts', import.meta.url), [layout, String(mebibytes)], { execArgv: [] })
  const [[said]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[Said], unknown]
  return said
}

test('a record of 31 MiB is read; one of a gibibyte is left out and takes no more memory than one of 40 MiB', async () => {
  const [read, long, longer] = [await readLong('lines', 31), await readLong('lines', 40), await readLong('lines', 1_024)]
  expect(read).toMatchObject({ ids: [1, 2, 3].map(idOf), damage: [] })
  for (const one of [long, longer])
    expect(one).toMatchObject({ ids: [1, 3].map(idOf), damage: [{ why: 'a record longer than 32 MiB' }] })
  expect(longer.peakMiB).toBeLessThan(long.peakMiB + 16)
  expect(longer.peakMiB).toBeLessThan(256)
})

test('nor does one in an object in one line, of which what follows cannot be told from it', async () => {
  const { ids, damage, peakMiB } = await readLong('object', 1_024)
  expect(ids).toEqual([idOf(1)])
  expect(damage.map(({ why }) => why)).toEqual(['a record longer than 32 MiB', 'cut off before the end of its records'])
  expect(peakMiB).toBeLessThan(256)
})
