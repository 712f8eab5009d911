import { KeyturnError } from '../../shared/errors.ts'
import type { Credential } from '../../shared/ports/target.ts'
import { type Instant, instant, SecretText } from '../../shared/types.ts'
import type { Fault, Inject, StoreHarness } from '../conformance/store-harness.ts'
import type { Scene, TargetHarness } from '../conformance/target-harness.ts'
import { pairTarget } from './model-pair.ts'
import type { ModelStore } from './model-store.ts'
import { type ModelTarget, print, read } from './model-target.ts'
import { noAnswer, type RemoteCall, straightWire, type Wire } from './model-wire.ts'

/** A model store as the store suite takes a real one. */
export function modelStoreHarness(make: (now: () => Instant) => ModelStore): StoreHarness {
  let ahead = 0
  const now = (): Instant => instant(Date.now() + ahead)
  const model = make(now)
  let fault: Fault | undefined
  /**
   * Where the store cannot compare, a person's write comes at the worst moment: between the look and the write of a
   * promotion, which is what the declared fact is about.
   */
  let late = (): void => {}
  const overtake = (call: RemoteCall | undefined): void => {
    if (call?.name.startsWith('promote') && !call.writes) return
    late()
    late = () => {}
  }
  const hit = (call: RemoteCall): KeyturnError | undefined => {
    if (fault === undefined || fault === 'lost answer') return undefined
    if (fault === 'denied') return new KeyturnError('denied/store', 'denied')
    if (fault === 'disabled') return new KeyturnError('disabled/secret', 'disabled')
    return fault === 'no answer' ? noAnswer(call) : new KeyturnError('throttled/store', 'throttled')
  }
  const wire: Wire = {
    owner: 'suite',
    now,
    async call(call, effect) {
      const error = hit(call)
      if (error) throw error
      overtake(call)
      const answer = await effect(false)
      if (fault !== 'lost answer' || !call.writes) return answer
      fault = undefined
      throw noAnswer(call)
    }
  }
  const store = model.connect(wire)
  const inject =
    (what: Fault): Inject =>
    async () => {
      fault = what
      return async () => {
        fault = undefined
      }
    }
  return {
    store,
    create: async (name, text, patch) => model.create(name, text, patch),
    overwrite: async (id, text) => {
      late = () => model.overwrite(id, text)
      if (store.facts.compareAndSet) overtake(undefined)
    },
    writeRaw: async (id, key, text) => model.writeRaw(id, key, text),
    ordinaryRead: async (id) => {
      overtake(undefined)
      return model.readable(id).at(-1)?.text ?? ''
    },
    advance: (ms) => {
      ahead += ms
    },
    faults: {
      denied: inject('denied'),
      'throttled a little': 'a model is asked once, and has nothing that asks again',
      'throttled on and on': inject('throttled on and on'),
      'no answer': inject('no answer'),
      disabled: inject('disabled'),
      'lost answer': inject('lost answer')
    },
    close: async () => {}
  }
}

/** The model pair as the target suite takes a real one: every scene is a server of its own. */
export function modelPairHarness(): TargetHarness {
  const models: ModelTarget[] = []
  const now = (): Instant => instant(Date.now())
  const modelOf = ({ principal }: Credential): ModelTarget => {
    const found = models[Number(/\d+$/.exec(principal)?.[0])]
    if (!found) throw new Error(`${principal} is on no server`)
    return found
  }
  const credential = (of: Credential, document: SecretText): Credential => ({ ...of, document })
  return {
    async scene(): Promise<Scene> {
      const n = models.length
      const model = pairTarget(now, [`app_a${n}`, `app_b${n}`])
      models.push(model)
      const target = model.connect(straightWire('suite', now))
      return { target, current: target.inspect(new SecretText(model.first), {}), metadata: {} }
    },
    works: async (c) => modelOf(c).accepts(c.document.reveal()),
    async use(c) {
      const session = { principal: c.principal, address: '10.0.0.7', application: 'shop', count: 1 }
      const { sessions } = modelOf(c)
      sessions.push(session)
      return {
        application: session.application,
        works: async () => sessions.includes(session),
        end: async () => void sessions.splice(sessions.indexOf(session), 1)
      }
    },
    wrong: (c) => credential(c, print({ ...read(c.document), password: 'planted-secret-7f3a9c' })),
    unreadable: [
      { document: new SecretText('{"password":"planted-secret-7f3a9c'), names: /JSON/ },
      { document: new SecretText('{"password":"planted-secret-7f3a9c"}'), names: /username/ }
    ],
    breakSecret: async (c) => modelOf(c).setBehind(c.principal, 'set by somebody else'),
    cutLock: async ({ current }) => void modelOf(current).loseLock('suite'),
    snapshot: async ({ current }) => modelOf(current).snapshot(),
    stop: async () => {}
  }
}
