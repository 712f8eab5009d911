import { describe, expect, it } from 'vitest'
import { checkDescription, refuseTwice } from '../../shared/targets/http-checks.ts'
import { PROVIDERS } from '../../shared/targets/http-providers.ts'
import { UNSUPPORTED } from '../../shared/targets/http-unsupported.ts'

const NAMES = PROVIDERS.map(({ name }) => name)

describe('the ready descriptions', () => {
  it.each(NAMES)('%s is safe, is data and nothing else, and names its source', (name) => {
    const [description] = PROVIDERS.filter((one) => one.name === name)
    expect(checkDescription(description)).toBe(description)
    expect(JSON.parse(JSON.stringify(description))).toEqual(description)
    expect(Date.parse(description?.source.date ?? '')).toBeLessThan(Date.now())
  })

  it('have a name each, none of which is said to be impossible', () => {
    expect(refuseTwice(PROVIDERS)).toBe(PROVIDERS)
    expect(NAMES.filter((name) => Object.hasOwn(UNSUPPORTED, name))).toEqual([])
  })

  it('are there where a refusal names one instead', () => {
    const named = Object.values(UNSUPPORTED).flatMap((why) =>
      [...why.matchAll(/the provider ([a-z-]+)/g)].map(([, name]) => name)
    )
    expect(named.length).toBeGreaterThan(1)
    expect(NAMES).toEqual(expect.arrayContaining(named))
  })
})
