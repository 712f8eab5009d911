import type { Mutation } from '../conformance/interleave-mutants.ts'

/** Rules that no mutation can switch off yet, and why. */
export const EXCEPTIONS: Readonly<Record<number, string>> = {
  9: 'an incident inside the grace: there is no incident in the core yet; it comes with its own scenario'
}

const ROTATE = 'shared/rotation/rotate.ts'
const MACHINE = 'shared/rotation/machine.ts'
const EFFECTS = 'shared/rotation/effects.ts'
const KEYS = 'shared/rotation/keys.ts'
const OBSERVE = 'shared/rotation/observe.ts'
const PLAN = 'shared/rotation/plan.ts'

/** Each switches one rule of the design off, in the core, or in the model where an adapter has the rule. */
export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 1,
    what: 'what was seen before the hold is acted on',
    patches: [
      {
        file: OBSERVE,
        find: 'export async function observe(',
        replace: `const before = new WeakMap<object, Promise<Observation>>()
export function observe(core: Core, request: Request, memory: Memory, holding?: Holding, known?: SecretFacts): Promise<Observation> {
  const first = before.get(memory)
  before.delete(memory)
  if (first && holding) return first
  const now = observeNow(core, request, memory, holding, known)
  if (!holding) before.set(memory, now)
  return now
}
async function observeNow(`
      }
    ],
    scenario: 'a retirement beside a rotation',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 1,
    what: 'two runs hold the lock at once (the model’s lock is always given)',
    patches: [
      { file: 'test/doubles/model-pair.ts', find: 'if (server.lock) throw', replace: 'if (server.lock === connection) throw' }
    ],
    scenario: 'a retirement beside a rotation',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 2,
    what: 'the value is set in the target before the store has it',
    patches: [
      {
        file: EFFECTS,
        find: '  try {\n    staged = await core.store.stage(',
        replace: '  try {\n    await hold.apply(next, async () => [], signal)\n    staged = await core.store.stage('
      }
    ],
    scenario: 'two rotations of one secret',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 2,
    what: 'the pending is dropped before it is promoted',
    patches: [
      {
        file: EFFECTS,
        find: '    promoted = await core.store.promote(',
        replace: '    await core.store.drop(facts.id, attempt.token, signal)\n    promoted = await core.store.promote('
      }
    ],
    scenario: 'two rotations of one secret',
    store: 'cas',
    target: 'pair'
  },
  {
    rule: 3,
    what: 'a key without our mark is an orphan too',
    patches: [
      {
        file: KEYS,
        find: '(l) => l.ours && !named.includes(l.principal) && !seenThen',
        replace: '(l) => !named.includes(l.principal) && !seenThen'
      }
    ],
    scenario: 'a person creates a key',
    store: 'labels',
    target: 'minted'
  },
  {
    rule: 3,
    what: 'the half that current uses is set',
    patches: [
      { file: EFFECTS, find: '  refuseSameHalf(next, current)\n', replace: '' },
      { file: MACHINE, find: ' || pending.facts.base !== facts.current || isCurrentsOwn(o)', replace: '' }
    ],
    scenario: 'the store’s own four steps in one process',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 4,
    what: 'a claim is taken away before its run can be dead',
    patches: [
      { file: MACHINE, find: "> o.claimOutlivedMs ? 'spoiled' : 'busy'", replace: "> o.claimOutlivedMs ? 'spoiled' : 'spoiled'" }
    ],
    scenario: 'two rotations of one secret',
    store: 'sibling',
    target: 'minted'
  },
  {
    rule: 4,
    what: 'a key of ours that no stage names is an orphan at once',
    patches: [{ file: OBSERVE, find: 'l.ageMs > runLivesMs', replace: 'l.ageMs >= 0' }],
    scenario: 'a sweep beside a rotation',
    store: 'labels',
    target: 'many'
  },
  {
    rule: 1,
    what: 'an old key is ended without a claim',
    patches: [
      {
        file: KEYS,
        find: '  const token = await claimed(run, facts.id, current.version)\n  if (token === undefined) return\n  try {',
        replace: '  const token = "none"\n  try {\n    return await work(o)'
      }
    ],
    scenario: 'a rollback beside a retirement',
    store: 'labels',
    target: 'many'
  },
  {
    rule: 5,
    what: 'a four-step token that is refused keeps AWSPENDING',
    patches: [
      {
        file: 'shared/rotation/driven/step.ts',
        find: '  await store.drop(step.secretId, step.token, step.deadline.signal).catch(',
        replace: '  await Promise.resolve().catch('
      }
    ],
    scenario: 'the store’s own four steps, each in a new process',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 5,
    what: 'a value under AWSPENDING is not the pending',
    patches: [
      {
        file: MACHINE,
        find: 'return [...facts.pendings].sort',
        replace: "return facts.pendings.filter((p) => p.driver === 'keyturn').sort"
      }
    ],
    scenario: 'the store’s own four steps in one process',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 5,
    what: 'AWSPENDING is left on the version that was current',
    patches: [
      { file: EFFECTS, find: 'const left = o.pending &&', replace: "const left = o.pending?.facts.driver === 'keyturn' &&" }
    ],
    scenario: 'the store’s own four steps in one process',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 6,
    what: 'a take-over drops the pending and makes its own (the fence belongs to the incident, which is not there yet)',
    patches: [
      {
        file: EFFECTS,
        find: '  refuseSameHalf(next, current)\n',
        replace:
          '  if (!isAttemptOf(attemptOf(o).token, request)) return core.store.drop(facts.id, attemptOf(o).token, request.deadline.signal)\n'
      }
    ],
    scenario: 'two rotations of one secret',
    store: 'sibling',
    target: 'pair'
  },
  {
    rule: 7,
    what: 'the grace runs from the version’s creation',
    patches: [{ file: PLAN, find: 'recorded ?? rotated ?? facts.changedAt', replace: 'recorded ?? rotated' }],
    scenario: 'a sweep beside a rotation, and the grace passes',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 7,
    what: 'a second rotation inside the grace is not refused',
    patches: [
      { file: MACHINE, find: "return inGrace(o, facts) && !intent.force ? 'draining' : undefined", replace: 'return undefined' },
      { file: MACHINE, find: "cuts(o, facts) && !intent.force ? 'draining' : 'staged'", replace: "'staged'" }
    ],
    scenario: 'two rotations of one secret',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 7,
    what: 'the grace does not wait until every reader is given the new one',
    patches: [{ file: OBSERVE, find: ' + core.store.facts.convergenceMs', replace: '' }],
    scenario: 'a retirement and a sweep when the grace is over',
    store: 'stale',
    target: 'pair'
  },
  {
    rule: 8,
    what: 'previous is the version before current (in the core, and in the model, which keeps the base)',
    patches: [
      { file: OBSERVE, find: 'new Set([first, promoted?.previous])', replace: 'new Set([facts.previous])' },
      { file: 'test/doubles/model-siblings-state.ts', find: 'current.made?.base ?? ', replace: '' }
    ],
    scenario: 'two rotations of one secret',
    store: 'sibling',
    target: 'pair'
  },
  {
    rule: 8,
    what: 'after a person wrote current anew, its own version before counts as the other half',
    patches: [{ file: OBSERVE, find: 'new Set([first, promoted?.previous])', replace: 'new Set([first])' }],
    scenario: 'a person writes a new version inside the grace',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 10,
    what: 'a request that is older than the last promotion is done',
    patches: [{ file: ROTATE, find: 'request.requestedAt <= at ?', replace: 'request.requestedAt < 0 ?' }],
    scenario: 'an older request beside a newer one',
    store: 'labels',
    target: 'pair'
  },
  {
    rule: 10,
    what: 'a request that made current is done again',
    patches: [
      {
        file: ROTATE,
        find: "'promoted' ? undefined : 'done already: this request made current'",
        replace: "'promoted' ? undefined : undefined"
      },
      {
        file: ROTATE,
        find: '(o.facts?.currentToken !== undefined && isAttemptOf(o.facts.currentToken, run.request))',
        replace: 'false'
      }
    ],
    scenario: 'one request, delivered twice',
    store: 'labels',
    target: 'pair'
  }
]
