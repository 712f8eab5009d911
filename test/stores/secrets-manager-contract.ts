import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { labels } from './secrets-manager-contract-labels.ts'
import { secrets } from './secrets-manager-contract-secrets.ts'
import { type Harness, type Sights, subject } from './secrets-manager-contract-subject.ts'

export type { Harness }

export interface Difference {
  readonly says: string
  readonly shows: unknown
}

/**
 * The same questions to every server. Where a server is known not to do what AWS does, the difference names the test, says
 * what is different, and is asserted: it is found out when the server is corrected.
 */
export function contract(server: string, start: () => Promise<Harness>, differences: Readonly<Record<string, Difference>>): void {
  describe(server, () => {
    const sights: Sights = { ...secrets, ...labels }
    let harness: Harness
    beforeAll(async () => {
      harness = await start()
    })
    afterAll(() => harness.close())

    it('has no difference listed that no test asks about', () => {
      expect(Object.keys(differences).filter((name) => !(name in sights))).toEqual([])
    })

    for (const [name, [aws, see]] of Object.entries(sights)) {
      const difference = differences[name]
      it(difference ? `${name} (not here: ${difference.says})` : name, async () => {
        expect(await see(subject(harness))).toEqual(difference ? difference.shows : aws)
      })
    }
  })
}
