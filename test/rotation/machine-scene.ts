import type { PendingFacts, SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Held, Intent, Observation } from '../../shared/rotation/machine.ts'
import type { Phase } from '../../shared/rotation/phases.ts'
import { instant, SecretText } from '../../shared/types.ts'

export const HOUR = 3_600_000
export const NOW = instant(1_000 * HOUR)

export const held = (version: string, principal: string): Held => ({
  version,
  createdAt: NOW,
  credential: { principal, document: new SecretText('{}'), overlap: true, authority: 'admin' }
})

export const facts = (more: Partial<SecretFacts> = {}): SecretFacts => ({
  id: 'app',
  name: 'app',
  seenAt: NOW,
  current: 'v1',
  currentToken: 'v1',
  pendings: [],
  spent: [],
  replicasInSync: true,
  metadata: {},
  ...more
})

export const observation = (more: Partial<Observation> = {}): Observation => ({
  facts: facts(),
  current: held('v1', 'a'),
  pending: undefined,
  previous: undefined,
  currentRefused: false,
  strangers: [],
  target: undefined,
  orphans: [],
  isTold: false,
  usage: undefined,
  graceEnds: undefined,
  claimOutlivedMs: HOUR,
  due: false,
  ...more
})

export const pendingFacts = (more: Partial<PendingFacts> = {}): PendingFacts => ({
  version: 'v2',
  token: 'v2',
  base: 'v1',
  driver: 'keyturn',
  ...more
})

export const pending = (more: Partial<PendingFacts> = {}, value: Held | undefined = held('v2', 'b'), refused = false) => ({
  facts: pendingFacts(more),
  held: value,
  refused
})

export const want = (w: Intent['want'], force = false): Intent => ({ want: w, force })

/** Promoted and recorded, the other half alive. */
export const overlap = (graceEnds: number, more: Partial<Observation> = {}): Observation =>
  observation({
    facts: facts({ metadata: { promoted: { version: 'v1', previous: 'v0', at: NOW } } }),
    previous: held('v0', 'b'),
    graceEnds: instant(graceEnds),
    ...more
  })

export const LATER = NOW + HOUR
export const OVER = NOW - HOUR

export type Case = readonly [says: string, o: Observation, intent: Intent, phase: Phase]
