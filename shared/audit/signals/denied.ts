import type { Finding, Severity } from '../finding.ts'
import { finding, plural, times } from '../findings.ts'
import type { Signal, View } from '../signal.ts'
import { joined, type Span } from '../span.ts'
import type { IdentityTally } from '../tally.ts'

const SIGNAL = {
  name: 'denied',
  question: 'Was an identity refused by policy?',
  severity: 'low',
  technique: 'T1555.006',
  todo: 'A wrong policy, or somebody who tries doors: compare what it asked for with what it is for.'
} as const

export const denied: Signal = {
  ...SIGNAL,
  judge: (view) => [...view.fresh.identities.values()].flatMap((one) => refusals(one, view))
}

function refusals({ identity, store, secrets, denied }: IdentityTally, { all }: View): readonly Finding[] {
  const known = all.identities.get(identity.key)
  const ofSecrets = [...secrets].flatMap(([key, pair]): [string, Span][] => (pair.denied ? [[key, pair.denied]] : []))
  const spans = [...ofSecrets, ...denied]
  const [first, ...rest] = spans.map(([, span]) => span)
  if (!first) return []
  const span = rest.reduce(joined, first)
  const hadAccess = ofSecrets.some(([key]) => (known?.secrets.get(key)?.reads ?? 0) > 0)
  const [only] = ofSecrets.length === 1 && denied.size === 0 ? ofSecrets : []
  const secret = only && all.secrets.get(only[0])?.secret
  const what = secret?.name ?? (spans.length === 1 ? (spans[0]?.[0] ?? '') : `${spans.length} things`)
  return [
    finding(SIGNAL, {
      subject: {
        identity: identity.key,
        identityName: identity.name,
        ...(secret && { secret: secret.key, secretName: secret.name })
      },
      store,
      account: secret?.account,
      span,
      title: `${identity.name} was refused ${times(span.count)}, for ${what}`,
      why: `${plural(span.count, 'call')} for ${plural(spans.length, 'different thing')} ${span.count === 1 ? 'was' : 'were'} denied${hadAccess ? '; some of these secrets it had read before' : ''}.`,
      severity: severityOf(span.count, spans.length)
    })
  ]
}

/** One door that is tried again and again is a wrong setting; many doors are not. */
const severityOf = (count: number, breadth: number): Severity =>
  breadth >= 10 ? 'high' : breadth >= 3 || count >= 20 ? 'medium' : 'low'
