import type { GoogleSecretsDouble, GoogleSecretsOptions } from './google-secrets.ts'
import { secretMessage } from './google-secrets-catalog.ts'
import type { Rights } from './google-secrets-rights.ts'
import { canonical, record, type Secret, truth, type World } from './google-secrets-state.ts'

export const worldOf = ({ now = Date.now, projects, pageSize = 100 }: GoogleSecretsOptions): World => ({
  now,
  projects: projects ?? [{ id: 'keyturn-test', number: '123456789012' }],
  shelf: new Map(),
  pageSize,
  lagMs: 0,
  draw: () => false,
  epoch: 0,
  stamps: 0,
  etags: 0
})

export function rightsOf({ principals }: GoogleSecretsOptions): Rights {
  const all = principals ?? [{ name: 'owner@example.com', tokens: ['owner-token'], may: { '*': ['roles/owner'] } }]
  const rights: Rights = { principals: new Map(all.map((p) => [p.name, p])), tokens: new Map() }
  for (const { name, tokens = [] } of all) {
    for (const token of tokens) rights.tokens.set(token, { principal: name, expiresAt: Number.POSITIVE_INFINITY })
  }
  return rights
}

export function rightsControls({ principals, tokens }: Rights): Pick<GoogleSecretsDouble, 'accept' | 'allow'> {
  return {
    accept: (token, principal, expiresAt = Number.POSITIVE_INFINITY) => {
      if (!principals.has(principal)) throw new Error(`no principal ${principal}`)
      tokens.set(token, { principal, expiresAt })
    },
    allow: (name, may) => void principals.set(name, { ...principals.get(name), name, may })
  }
}

/** mulberry32. */
function draws(seed: number): () => boolean {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    const mixed = Math.imul(state ^ (state >>> 15), state | 1)
    const more = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61))
    return ((more ^ (more >>> 14)) >>> 0) % 2 === 0
  }
}

export function stateControls(world: World): Pick<GoogleSecretsDouble, 'setLag' | 'set' | 'versions' | 'secret'> {
  const lookUp = (name: string): Secret | undefined => {
    const full = canonical(world, name)
    const there = [...world.shelf.values()].flatMap((held) => truth(held) ?? [])
    return there.find((s) => s.name === full || s.id === name)
  }
  const find = (name: string): Secret => {
    const secret = lookUp(name)
    if (!secret) throw new Error(`no secret ${name}`)
    return secret
  }
  return {
    setLag: (lagMs, staleness = 'stale') => {
      world.lagMs = lagMs
      world.draw = staleness === 'stale' ? () => false : draws(staleness.seed)
      if (lagMs === 0) world.epoch++
    },
    set: (name, settings) => {
      const secret = find(name)
      if ('managedRotation' in settings)
        record(world, secret.meta, { ...truth(secret.meta), managedRotation: settings.managedRotation }, 0)
      if (settings.kmsUnavailable !== undefined) secret.kmsUnavailable = settings.kmsUnavailable
    },
    versions: (name) =>
      find(name).versions.map(({ number, states }) => {
        const { state, value } = truth(states)
        return { number, state, value: value?.toString('utf8') }
      }),
    secret: (name) => {
      const secret = lookUp(name)
      return secret && secretMessage(secret, truth(secret.meta))
    }
  }
}
