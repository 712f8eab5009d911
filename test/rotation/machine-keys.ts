import type { Metadata } from '../../shared/metadata.ts'
import type { TargetFacts, Usage } from '../../shared/ports/target.ts'
import type { Observation } from '../../shared/rotation/machine.ts'
import { instant } from '../../shared/types.ts'
import { CHOSEN } from '../doubles/model-target.ts'
import { type Case, facts, HOUR, LATER, NOW, OVER, observation, overlap, pending, want } from './machine-scene.ts'

const DAY = 24 * HOUR
const promoted = { version: 'v1', previous: 'v0', at: NOW }

const keys = (more: Partial<TargetFacts> = {}): TargetFacts => ({
  ...CHOSEN,
  issue: 'minted',
  lastUsed: 'coarse',
  telemetryLagMs: HOUR,
  lock: 'claim',
  ...more
})

/** A key promoted and recorded, its grace over long ago, the one before alive. */
const after = (usage: Usage | undefined, metadata: Metadata = {}, more: Partial<Observation> = {}): Observation =>
  overlap(OVER - 20 * DAY, {
    target: keys(),
    usage,
    facts: facts({ metadata: { graceMs: HOUR, promoted, ...metadata } }),
    ...more
  })

const usedAgo = (ms: number): Usage => ({ state: 'last-used', lastUsedAt: instant(NOW - ms) })
const UNKNOWN: Usage = { state: 'cannot-tell', why: 'the provider tells nothing' }
const DISABLING = { target: keys({ canDisable: true }) }
const acknowledged = { version: 'v0', at: NOW, by: 'ann' }
const endSessions = { ...want('retire'), endSessions: true }

/** What is asked of minted keys alone. */
export const KEY_CASES: readonly Case[] = [
  ['a key that is quiet for a day is retired', after(usedAgo(25 * HOUR)), want('sweep'), 'retiring'],
  ['a key that was used since is not', after(usedAgo(23 * HOUR)), want('sweep'), 'draining'],
  ['a shorter quiet time counts', after(usedAgo(3 * HOUR), { quietMs: 2 * HOUR }), want('sweep'), 'retiring'],
  [
    'but never one below what the telemetry lags, and a margin',
    after(usedAgo(70 * 60_000), { quietMs: 60_000 }),
    want('sweep'),
    'draining'
  ],
  [
    'never used says nothing before the provider had the time to tell',
    after({ state: 'last-used', lastUsedAt: undefined }, {}, { graceEnds: instant(OVER) }),
    want('sweep'),
    'draining'
  ],
  [
    'never used, a day after the promotion, is quiet',
    after({ state: 'last-used', lastUsedAt: undefined }),
    want('sweep'),
    'retiring'
  ],
  ['what nobody can tell is not zero', after(UNKNOWN), want('sweep'), 'draining'],
  ['what was not asked is not zero', after(undefined), want('sweep'), 'draining'],
  ['what nobody can tell is acknowledged by a person', after(UNKNOWN, { acknowledged }), want('sweep'), 'retiring'],
  [
    'an acknowledgement of another version is none',
    after(UNKNOWN, { acknowledged: { ...acknowledged, version: 'v-1' } }),
    want('sweep'),
    'draining'
  ],
  ['an acknowledgement does not outweigh a use that is seen', after(usedAgo(HOUR), { acknowledged }), want('sweep'), 'draining'],
  [
    'an acknowledgement inside the overlap waits for its end',
    overlap(LATER, { target: keys(), usage: UNKNOWN, facts: facts({ metadata: { promoted, acknowledged } }) }),
    want('sweep'),
    'draining'
  ],
  [
    'over the hard limit an old key that is used is not cut',
    after(usedAgo(HOUR), { limitMs: 2 * DAY }),
    want('sweep'),
    'draining'
  ],
  ['unless its owner said so', after(usedAgo(HOUR), { limitMs: 2 * DAY, overLimit: 'cut' }), want('sweep'), 'retiring'],
  ['and not before the limit', after(usedAgo(HOUR), { limitMs: 25 * DAY, overLimit: 'cut' }), want('sweep'), 'draining'],
  ['what is due waits until the key before is retired', after(usedAgo(HOUR), {}, { due: true }), want('sweep'), 'draining'],
  ['so does a request', after(usedAgo(HOUR)), want('rotate'), 'draining'],
  ['a request retires first what is quiet', after(usedAgo(25 * HOUR)), want('rotate'), 'retiring'],
  ['a forced request retires it at once, used or not', after(usedAgo(HOUR), {}, DISABLING), want('rotate', true), 'retiring'],
  ['a person’s retire of a key in use is refused', after(usedAgo(HOUR)), want('retire'), 'draining'],
  ['unless they said to cut who uses it', after(usedAgo(HOUR)), endSessions, 'retiring'],
  ['where the provider can, a key is disabled before', after(usedAgo(25 * HOUR), {}, DISABLING), want('sweep'), 'disabling'],
  [
    'and soaks',
    after(usedAgo(HOUR), { disabled: { version: 'v0', at: instant(NOW - 23 * HOUR) } }, DISABLING),
    want('sweep'),
    'soaking'
  ],
  [
    'a request for the next one waits for the soak',
    after(usedAgo(HOUR), { disabled: { version: 'v0', at: instant(NOW - HOUR) } }, DISABLING),
    want('rotate'),
    'soaking'
  ],
  [
    'and is deleted when the soak is over, whatever its last use was',
    after(usedAgo(HOUR), { disabled: { version: 'v0', at: instant(NOW - 25 * HOUR) } }, DISABLING),
    want('sweep'),
    'retiring'
  ],
  [
    'a longer soak counts',
    after(undefined, { soakMs: 3 * DAY, disabled: { version: 'v0', at: instant(NOW - 25 * HOUR) } }, DISABLING),
    want('sweep'),
    'soaking'
  ],
  [
    'a record of another version’s disabling is none',
    after(usedAgo(25 * HOUR), { disabled: { version: 'v-1', at: instant(NOW - 25 * HOUR) } }, DISABLING),
    want('sweep'),
    'disabling'
  ],
  [
    'nothing is disabled while replicas lag',
    after(
      usedAgo(25 * HOUR),
      {},
      { ...DISABLING, facts: facts({ replicasInSync: false, metadata: { graceMs: HOUR, promoted } }) }
    ),
    want('sweep'),
    'draining'
  ],
  [
    'the consumers that its owner named are told first',
    after(usedAgo(25 * HOUR), { restart: 'ecs:a/b' }),
    want('sweep'),
    'telling'
  ],
  [
    'once, where they could not be restarted, and again by the next sweep',
    after(
      usedAgo(25 * HOUR),
      { restart: 'ecs:a/b', restarted: { version: 'v1', at: NOW, outcome: 'denied/provider' } },
      { isTold: true }
    ),
    want('sweep'),
    'draining'
  ],
  [
    'when all were restarted the old key goes',
    after(usedAgo(25 * HOUR), { restart: 'ecs:a/b', restarted: { version: 'v1', at: NOW, outcome: 'ok' } }),
    want('sweep'),
    'retiring'
  ],
  [
    'a pair’s old half waits for the consumers too',
    overlap(OVER, {
      usage: { state: 'unused' },
      isTold: true,
      facts: facts({
        metadata: { promoted, restart: 'ecs:a/b', restarted: { version: 'v1', at: NOW, outcome: 'throttled/provider' } }
      })
    }),
    want('sweep'),
    'draining'
  ],
  [
    'keys of ours that no stage names are deleted by a sweep',
    observation({ target: keys(), orphans: ['k7'] }),
    want('sweep'),
    'littered'
  ],
  ['and by nothing else', observation({ target: keys(), orphans: ['k7'] }), want('retire'), 'settled'],
  [
    'while something is pending nothing is tidied up',
    observation({ target: keys(), orphans: ['k7'], pending: pending() }),
    want('sweep'),
    'staged'
  ]
]
