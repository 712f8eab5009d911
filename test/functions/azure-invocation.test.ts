import { InvocationContext, type LogLevel } from '@azure/functions'
import { expect, test } from 'vitest'
import type { Azure } from '../../functions/azure/compose.ts'
import { type Invocation, within } from '../../functions/azure/invocation.ts'
import { invocationLog } from '../../functions/azure/log.ts'
import { readConfig } from '../../shared/config.ts'
import type { Core } from '../../shared/rotation/core.ts'

const MINUTE = 60_000

/** An app whose runs may take ten minutes. */
const azure: Azure = {
  config: readConfig({ KEYTURN_LOG_LEVEL: 'silent', KEYTURN_SWEEP_CONCURRENCY: '7' }),
  settings: { runLimitMs: 10 * MINUTE } as Azure['settings'],
  core: (log) => ({ log }) as Core,
  enter: () => async () => {}
}

test.each([
  ['the run’s limit', undefined, 10 * MINUTE],
  ['what the trigger allows, where that is less', 200_000, 200_000],
  ['the run’s limit, where the trigger allows more', 60 * MINUTE, 10 * MINUTE]
])('an invocation has %s, less two seconds to answer in', async (_, mostMs, limitMs) => {
  const remaining = await within(azure, new InvocationContext(), async (i) => i.delivery('x').deadline.remainingMs(), mostMs)
  expect(Math.round(remaining / 1000)).toBe(limitMs / 1000 - 2)
})

test('every delivery of an invocation shares its time, and says how many secrets a sweep takes at once', async () => {
  const of = async ({ delivery }: Invocation) => [delivery('x'), delivery('y')]
  const [x, y] = await within(azure, new InvocationContext(), of)
  expect([x?.id, y?.id, x?.sweepConcurrency, x?.deadline === y?.deadline]).toEqual(['x', 'y', 7, true])
})

test('the host’s log has the level of each line, and nothing below the level that is set', () => {
  const lines: (readonly [LogLevel, unknown])[] = []
  const context = new InvocationContext({
    logHandler: (level, line) => void lines.push([level, (JSON.parse(String(line)) as { event: string }).event])
  })
  const log = invocationLog(context, 'info')
  log.error('a', {})
  log.info('b', {})
  log.warn('c', {})
  invocationLog(context, 'error').warn('d', {})
  expect(lines).toEqual([
    ['error', 'a'],
    ['information', 'b'],
    ['warning', 'c']
  ])
})
