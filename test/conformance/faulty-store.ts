import type { Core } from '../../shared/rotation/core.ts'
import type { Fate, Faults } from './crash.ts'

/** The file store has no wire: its calls are faulted at the port. */
export function faulty(store: Core['store'], faults: Faults): Partial<Core['store']> {
  const wrap =
    <A extends readonly unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const fate: Fate = faults.fateOf(`file ${name}`)
      if (fate === 'before') throw new Error('killed before')
      const answer = await call(...args)
      if (fate === 'lost') throw new Error('answer lost')
      return answer
    }
  return {
    describe: wrap('describe', store.describe),
    read: wrap('read', store.read),
    claim: wrap('claim', store.claim),
    stage: wrap('stage', store.stage),
    promote: wrap('promote', store.promote),
    drop: wrap('drop', store.drop),
    annotate: wrap('annotate', store.annotate)
  }
}
