import { KeyturnError } from '../errors.ts'
import type { Consumers } from '../ports/consumers.ts'
import { entryOf } from '../table.ts'

/** How one kind is restarted. */
export type Restart = Consumers['restart']

/** Which hosts have it in their table: a platform’s own function asks with the identity that it has there anyway. */
const HOSTS: Readonly<Record<string, string>> = {
  ecs: 'the functions on AWS',
  run: 'the functions on Google Cloud',
  appservice: 'the functions on Azure',
  k8s: 'a function or command that is told of the cluster’s API server',
  http: 'every host'
}

/** The kinds that this host can restart. Every other fails with `unsupported/restart`, which names the hosts that can. */
export function consumers(table: Readonly<Record<string, Restart>>): Consumers {
  return {
    restart: async (consumer, news, signal) => {
      const { kind } = consumer
      const restart = entryOf(table, kind)
      if (restart === undefined) throw unsupported(kind, Object.keys(table))
      return restart(consumer, news, signal)
    }
  }
}

function unsupported(kind: string, here: readonly string[]): KeyturnError {
  const who = `${entryOf(HOSTS, kind) ?? 'no host'} can`
  const also = here.length > 0 ? `this one restarts ${here.join(', ')}` : 'this one restarts nobody'
  return new KeyturnError('unsupported/restart', `consumers of the kind ${kind} are not restarted from here: ${who}; ${also}`)
}
