import type { SecretCatalog, SecretStore } from '../../shared/ports/secret-store.ts'
import type { Credential, Target, TargetHold } from '../../shared/ports/target.ts'
import { asks, changes, looks, type RemoteCall, type Wire, writes } from './model-wire.ts'

/** A real store whose every port call is a scheduling point. What happens inside one call happens as a whole. */
export function proxiedStore(store: SecretStore & SecretCatalog, wire: Wire): SecretStore & SecretCatalog {
  return {
    facts: store.facts,
    describe: (...a) => wire.call(looks('describe'), () => store.describe(...a)),
    read: (id, version, signal) => wire.call(looks(`read ${version.slice(0, 8)}`), () => store.read(id, version, signal)),
    claim: (...a) => wire.call(writes('claim'), () => store.claim(...a)),
    stage: (...a) => wire.call(writes('stage'), () => store.stage(...a)),
    promote: (...a) => wire.call(writes('promote'), () => store.promote(...a)),
    drop: (...a) => wire.call(writes('drop'), () => store.drop(...a)),
    list: (...a) => store.list(...a),
    annotate: (...a) => wire.call(writes('annotate'), () => store.annotate(...a))
  }
}

/** The locks that real processes hold, by process: to end them from outside, as a network or a kill does. */
export type Holds = Map<string, TargetHold>

/** A real target whose every remote method is a scheduling point: of a chosen secret, `propose` is none, and of a claim, `hold`. */
export function proxiedTarget(target: Target, wire: Wire, holds: Holds): Target {
  const end = async (): Promise<void> => {
    await holds.get(wire.owner)?.release()
    holds.delete(wire.owner)
  }
  return {
    facts: target.facts,
    inspect: target.inspect,
    propose: (...a) =>
      target.facts.issue === 'minted' ? wire.call(changes('create a key'), () => target.propose(...a)) : target.propose(...a),
    preflight: (...a) => target.preflight(...a),
    verify: (candidate, ...a) => wire.call(asks(`log in as ${candidate.principal}`), () => target.verify(candidate, ...a)),
    async hold(...a) {
      if (target.facts.lock === 'claim') return proxiedHold(await target.hold(...a), wire, end)
      try {
        await wire.call(changes('lock'), async () => void holds.set(wire.owner, await target.hold(...a)))
        const hold = holds.get(wire.owner)
        if (!hold) throw new TypeError('a lock that nobody has')
        return proxiedHold(hold, wire, end)
      } catch (e) {
        await end()
        throw e
      }
    }
  }
}

function proxiedHold(hold: TargetHold, wire: Wire, release: () => Promise<void>): TargetHold {
  const on =
    <A extends readonly unknown[], R>(
      call: (name: string) => RemoteCall,
      what: string,
      work: (old: Credential, ...a: A) => Promise<R>
    ) =>
    (old: Credential, ...a: A): Promise<R> =>
      wire.call(call(`${what} ${old.principal}`), () => work(old, ...a))
  return {
    check: (signal) => wire.call(asks('ask the session'), () => hold.check(signal)),
    release,
    apply: on(changes, 'alter', hold.apply),
    usage: on(asks, 'who uses', hold.usage),
    disable: on(changes, 'disable', hold.disable),
    retire: on(changes, 'retire', hold.retire),
    discard: on(changes, 'discard', hold.discard),
    heal: on(changes, 'heal', hold.heal),
    live: (...a) => wire.call(asks('list the keys'), () => hold.live(...a))
  }
}
