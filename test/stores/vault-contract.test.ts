import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { metadata } from './vault-contract-metadata.ts'
import { subjectOn } from './vault-contract-subject.ts'
import { values } from './vault-contract-values.ts'
import { places, type VaultPlace } from './vault-harness.ts'

interface Difference {
  readonly says: string
  readonly shows: unknown
}

/** OpenBao 2.7.2, where it does not do what Vault's documentation says. */
const OPENBAO: Readonly<Record<string, Difference>> = {
  'more than a thousand texts in one request are taken': {
    says: 'a listener takes 1000 of them, unless max_request_json_strings is raised',
    shows: 400
  },
  'metadata have no compare-and-set': { says: 'metadata_cas is one', shows: 400 }
}

const sights = { ...values, ...metadata }

/**
 * The same questions to every server. Where a server is known not to do what the documentation says, the difference names
 * the test, says what is different, and is asserted: it is found out when the server changes.
 */
function contract(server: string, start: () => Promise<VaultPlace>, differences: Readonly<Record<string, Difference>>): void {
  describe(server, () => {
    let place: VaultPlace
    beforeAll(async () => {
      place = await start()
    })
    afterAll(() => place?.close())

    it('has no difference listed that no test asks about', () => {
      expect(Object.keys(differences).filter((name) => !(name in sights))).toEqual([])
    })

    for (const [name, [says, see]] of Object.entries(sights)) {
      const difference = differences[name]
      it(difference ? `${name} (not here: ${difference.says})` : name, async () => {
        expect(await see(subjectOn(place))).toEqual(difference ? difference.shows : says)
      })
    }
  })
}

for (const [name, start] of places) contract(`KV version 2 on ${name}`, start, name === 'OpenBao' ? OPENBAO : {})
