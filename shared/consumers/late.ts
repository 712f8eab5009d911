import { once } from '../once.ts'
import type { Consumers } from '../ports/consumers.ts'

/** Consumers are restarted once a rotation, and mostly not at all: what restarts them is built, and its modules are run, only then. */
export function builtLate(build: () => Promise<Consumers>): Consumers {
  const built = once(build)
  return { restart: async (...news) => (await built()).restart(...news) }
}
