import { describe, expect, test } from 'vitest'
import { told } from '../conformance/interleave.ts'
import { exploreMutant } from '../conformance/interleave-mutants.ts'
import { EXCEPTIONS, MUTATIONS } from './mutations.ts'

describe('the interleave suite goes red when a rule is switched off', () => {
  test('every rule from 1 to 10 has a mutation, or a reason why not', () => {
    const known = new Set([...MUTATIONS.map((m) => m.rule), ...Object.keys(EXCEPTIONS).map(Number)])
    expect([...known].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  for (const mutation of MUTATIONS)
    test(`rule ${mutation.rule}: ${mutation.what}`, async () => {
      const violation = await exploreMutant(mutation)
      expect(violation, 'it stays green').toBeDefined()
      console.log(`rule ${mutation.rule}, ${mutation.what} (${mutation.store}, ${mutation.target}): ${told(violation)}`)
    })
})
