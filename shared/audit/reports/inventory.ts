import type { Access } from '../summary.ts'
import type { Tally } from '../tally.ts'

/** Who touched which secret: one row an identity and a secret, the newest first. */
export function inventory({ identities, secrets }: Tally): readonly Access[] {
  const rows = [...identities.values()].flatMap(({ identity, secrets: pairs }) =>
    [...pairs].flatMap(([key, { first, last, reads, writes, denied }]): Access[] => {
      const secret = secrets.get(key)?.secret
      if (!secret) return []
      return [
        {
          identity: identity.key,
          identityName: identity.name,
          identityType: identity.type,
          secret: key,
          secretName: secret.name,
          store: secret.store,
          account: secret.account,
          ...{ first, last, reads, writes, denied: denied?.count ?? 0 }
        }
      ]
    })
  )
  const nameOf = ({ secret, identity }: Access): string => `${secret}\n${identity}`
  return rows.sort((a, b) => b.last - a.last || (nameOf(a) < nameOf(b) ? -1 : 1))
}
