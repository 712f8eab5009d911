import type { Finding } from '../finding.ts'
import type { Access, Summary } from '../summary.ts'
import { html, type Markup } from './html-markup.ts'
import { shadeBelow } from './html-week.ts'
import { compact, grouped, many, name } from './html-words.ts'

const MOST_IDENTITIES = 16
const MOST_SECRETS = 20

interface Axis {
  readonly key: string
  readonly label: string
  readonly findings: number
  readonly reads: number
}

/** Who reads what: the identities and the secrets that findings name, then those with the most reads. */
export function matrixSection({ inventory, findings }: Pick<Summary, 'inventory' | 'findings'>): Markup {
  if (inventory.length === 0) return html`<p class="empty">No access was seen.</p>`
  const identities = axisOf(inventory, ({ identity, identityName }) => [identity, identityName], countBy(findings, 'identity'))
  const secrets = axisOf(inventory, ({ secret, secretName }) => [secret, secretName], countBy(findings, 'secret'))
  const rows = identities.slice(0, MOST_IDENTITIES).toSorted(byStore)
  const columns = secretsOf(rows, secrets, inventory)
  const cells = new Map(inventory.map((row) => [keyOf(row.identity, row.secret), row]))
  const shade = shadeBelow(Math.max(...rows.flatMap(({ key }) => columns.map((of) => magnitude(cells.get(keyOf(key, of.key)))))))
  const named = new Set(
    findings.flatMap(({ subject: { identity, secret } }) => (identity && secret ? [keyOf(identity, secret)] : []))
  )
  return html`<p class="legend"><span>Reads, stronger where there are more.</span> <span><i class="key denied"></i>something was refused</span>
<span><i class="key named"></i>a finding names both</span></p>
<div class="scroll wide" tabindex="0" role="group" aria-label="Who reads what">
<table class="matrix"><caption class="unseen">Reads by identity and secret</caption>
<thead><tr><td></td>${columns.map(({ label }) => html`<th scope="col" title="${label}"><span>${name(label)}</span></th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row" title="${row.label}"><span>${name(row.label)}</span></th>${columns.map((of) => {
        const key = keyOf(row.key, of.key)
        return cell(cells.get(key), named.has(key), shade)
      })}</tr>\n`
  )}</tbody></table></div>${restText(identities.length - rows.length, secrets.length - columns.length)}`
}

const keyOf = (identity: string, secret: string): string => `${identity}\n${secret}`

function countBy(findings: readonly Finding[], member: 'identity' | 'secret'): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { subject } of findings) {
    const key = subject[member]
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function axisOf(
  inventory: readonly Access[],
  of: (row: Access) => readonly [key: string, label: string],
  findings: ReadonlyMap<string, number>
): readonly Axis[] {
  const found = new Map<string, Axis>()
  for (const row of inventory) {
    const [key, label] = of(row)
    const reads = (found.get(key)?.reads ?? 0) + row.reads
    found.set(key, { key, label, findings: findings.get(key) ?? 0, reads })
  }
  return [...found.values()].sort(worstFirst)
}

const worstFirst = (a: Axis, b: Axis): number => b.findings - a.findings || b.reads - a.reads || compare(a.key, b.key)

/** Rows and columns of one store stand together: most identities read in one only. */
const byStore = (a: Axis, b: Axis): number => compare(storeOf(a), storeOf(b)) || worstFirst(a, b)
const storeOf = ({ key }: Axis): string => key.slice(0, key.indexOf(':'))
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What findings name, then for each row that is still empty what it reads most, then what is read most of all. */
function secretsOf(rows: readonly Axis[], secrets: readonly Axis[], inventory: readonly Access[]): readonly Axis[] {
  const readBy = new Map(rows.map(({ key }): [string, Access[]] => [key, []]))
  for (const row of inventory) readBy.get(row.identity)?.push(row)
  const touched = new Set([...readBy.values()].flatMap((some) => some.map(({ secret }) => secret)))
  const candidates = secrets.filter(({ key }) => touched.has(key))
  const chosen = new Set(
    candidates
      .filter(({ findings }) => findings > 0)
      .slice(0, MOST_SECRETS / 2)
      .map(({ key }) => key)
  )
  for (const some of readBy.values()) {
    if (some.some(({ secret }) => chosen.has(secret))) continue
    const most = some.reduce((best, row) => (row.reads > best.reads ? row : best), some[0] as Access)
    chosen.add(most.secret)
  }
  for (const { key } of candidates) if (chosen.size < MOST_SECRETS) chosen.add(key)
  const shown = new Set([...chosen].slice(0, MOST_SECRETS))
  return candidates.filter(({ key }) => shown.has(key)).toSorted((a, b) => compare(a.key, b.key))
}

/** Reads of one pair span from one to ten thousands: what is shaded is their order of magnitude. */
const magnitude = (row: Access | undefined): number => (row && row.reads > 0 ? (1 + Math.log10(row.reads)) ** 2 : 0)

function cell(row: Access | undefined, isNamed: boolean, shade: (count: number) => number): Markup {
  if (!row) return isNamed ? html`<td class="q0 named"><span class="unseen">a finding, no access</span></td>` : html`<td></td>`
  const marks = `${row.denied > 0 ? ' denied' : ''}${isNamed ? ' named' : ''}`
  const told = `${row.identityName} and ${row.secretName}: ${many(row.reads, 'read')}${row.denied > 0 ? `, ${grouped(row.denied)} refused` : ''}`
  const unseen = `${row.denied > 0 ? ` ${grouped(row.denied)} refused` : ''}${isNamed ? ' named by a finding' : ''}`
  return html`<td class="q${shade(magnitude(row))}${marks}" title="${told}">${compact(row.reads)}${unseen && html`<span class="unseen">${unseen}</span>`}</td>`
}

function restText(identities: number, secrets: number): Markup | undefined {
  if (identities + secrets <= 0) return undefined
  const parts = [
    ...(identities > 0 ? [many(identities, 'identity', 'identities')] : []),
    ...(secrets > 0 ? [many(secrets, 'secret')] : [])
  ]
  return html`<p class="left-away">${parts.join(' and ')} more: <a href="#inventory">the table below</a> has them.</p>`
}
