import type { Identity, SecretRef, StoreKind } from './event.ts'

/** Identities and secrets, each made once and used again by every record that names it. */
export interface References {
  identity(key: string, make: () => Omit<Identity, 'key'>): Identity
  secret(store: StoreKind, account: string, name: string, group?: string): SecretRef
}

/** Beyond this many the older half is forgotten: they are made again, which costs time and nothing else. */
const MOST = 65_536

export function references(): References {
  const identities = new Map<string, Identity>()
  const secrets = new Map<string, SecretRef>()
  return {
    identity: (key, make) => {
      const known = identities.get(key)
      if (known) return known
      return kept(identities, key, { key, ...make() })
    },
    secret: (store, account, name, group) => {
      const key = `${store}:${account}/${name}`
      const known = secrets.get(key)
      if (known) return known
      return kept(secrets, key, { key, store, account, name, group: `${store}:${account}/${group ?? firstPart(name)}` })
    }
  }
}

function kept<T>(map: Map<string, T>, key: string, value: T): T {
  if (map.size >= MOST) for (const old of [...map.keys()].slice(0, MOST / 2)) map.delete(old)
  map.set(key, value)
  return value
}

const firstPart = (name: string): string => name.slice(0, Math.max(0, name.indexOf('/')))
