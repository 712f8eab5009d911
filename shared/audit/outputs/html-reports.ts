import { type Control, controlsNamed, type Framework } from '../controls.ts'
import type { Access, DriftRow, OrphanRow, RetentionRow, RotationRow } from '../summary.ts'
import { html, join, type Markup } from './html-markup.ts'
import { type Column, table } from './html-table.ts'
import { dayMark, grouped, many, name, timeMark } from './html-words.ts'

export const inventoryTable = (rows: readonly Access[]): Markup =>
  table<Access>({
    id: 'inventory-rows',
    caption: 'Access inventory',
    noun: 'pair',
    empty: 'No access was seen.',
    rows: [...rows].sort((a, b) => b.denied - a.denied || b.reads - a.reads),
    columns: [
      {
        label: 'Identity',
        cell: ({ identityName, identityType }) => html`${name(identityName)} <span class="about">${identityType}</span>`,
        by: ({ identityName }) => identityName
      },
      {
        label: 'Secret',
        cell: ({ secretName, store, account }) => html`${name(secretName)} <span class="about">${store} ${name(account)}</span>`,
        by: ({ secretName }) => secretName
      },
      number('Reads', ({ reads }) => reads),
      number('Writes', ({ writes }) => writes),
      number('Denied', ({ denied }) => denied),
      { label: 'First', cell: ({ first }) => dayMark(first), by: ({ first }) => first },
      { label: 'Last', cell: ({ last }) => timeMark(last), by: ({ last }) => last }
    ]
  })

const number = <Row>(label: string, of: (row: Row) => number): Column<Row> => ({
  label,
  isNumber: true,
  cell: (row) => (of(row) === 0 ? html`<span class="none">0</span>` : grouped(of(row))),
  by: of
})

/** The most urgent first; what each is shown as. */
const STATES: Readonly<Record<RotationRow['state'], readonly [tone: string, label: string]>> = {
  failing: ['critical', 'failing'],
  overdue: ['critical', 'overdue'],
  never: ['high', 'never rotated'],
  'due-soon': ['medium', 'due soon'],
  unmanaged: ['medium', 'not managed'],
  unknown: ['low', 'not known'],
  held: ['low', 'on hold'],
  'in-time': ['plain', 'in time']
}
const URGENCY = Object.keys(STATES)

const badge = ([tone, label]: readonly [tone: string, label: string]): Markup => html`<span class="badge ${tone}">${label}</span>`

const controls = (framework: Framework | undefined): Column<{ readonly controls: readonly string[] }> => ({
  label: 'Controls',
  cell: (row) => controlNames(controlsNamed(row.controls, framework))
})

/** As the standards number them; the last part of the page says what they are called. */
export const controlNames = (named: readonly Control[]): Markup =>
  html`<span class="controls">${named.map(({ id }) => id).join(', ')}</span>`

/** Reports name a secret by its key; where the inventory knows it, by the name that people know. */
export type Names = ReadonlyMap<string, string>

export const namesOf = (inventory: readonly Access[]): Names =>
  new Map(inventory.map(({ secret, secretName }) => [secret, secretName]))

/** The name, and the store below it. */
const secretColumn = (names: Names): Column<{ readonly secret: string; readonly store: string }> => ({
  label: 'Secret',
  cell: ({ secret, store }) => html`${name(names.get(secret) ?? secret)} <span class="about">${name(store)}</span>`,
  by: ({ secret }) => names.get(secret) ?? secret
})

export const rotationTable = (rows: readonly RotationRow[], names: Names, framework: Framework | undefined): Markup =>
  table<RotationRow>({
    id: 'rotation-rows',
    caption: 'Rotation',
    noun: 'secret',
    empty: 'Nothing is known of rotation: no store was asked, and the log shows none.',
    rows: [...rows].sort(
      (a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state) || (a.due ?? Number.MAX_VALUE) - (b.due ?? Number.MAX_VALUE)
    ),
    columns: [
      secretColumn(names),
      { label: 'State', cell: rotationState, by: ({ state }) => URGENCY.indexOf(state) },
      { label: 'Due', cell: ({ due }) => dayMark(due), by: ({ due }) => due },
      { label: 'Last rotated', cell: ({ lastRotated }) => dayMark(lastRotated), by: ({ lastRotated }) => lastRotated },
      { label: 'Why', cell: ({ why }) => why },
      controls(framework)
    ]
  })

const rotationState = ({ state, failures }: RotationRow): Markup =>
  html`${badge(STATES[state])}${failures > 0 ? html` <span class="about">${many(failures, 'failure')}</span>` : undefined}`

const DRIFT: Readonly<Record<DriftRow['state'], readonly [tone: string, label: string]>> = {
  changed: ['high', 'changed'],
  unreviewed: ['medium', 'never reviewed'],
  unknown: ['low', 'cannot be compared'],
  same: ['plain', 'as reviewed']
}
const DRIFT_ORDER = Object.keys(DRIFT)

export const driftTable = (rows: readonly DriftRow[], framework: Framework | undefined): Markup =>
  table<DriftRow>({
    id: 'drift-rows',
    caption: 'Policies that changed',
    noun: 'policy change',
    empty: 'No change of a policy was seen.',
    rows: [...rows].sort((a, b) => DRIFT_ORDER.indexOf(a.state) - DRIFT_ORDER.indexOf(b.state) || b.changedAt - a.changedAt),
    columns: [
      {
        label: 'Policy',
        cell: ({ policy, store, account }) => html`${name(policy)} <span class="about">${store} ${name(account)}</span>`,
        by: ({ policy }) => policy
      },
      { label: 'State', cell: ({ state }) => badge(DRIFT[state]), by: ({ state }) => DRIFT_ORDER.indexOf(state) },
      { label: 'Changed', cell: changeOf, by: ({ changedAt }) => changedAt },
      { label: 'Reviewed', cell: reviewOf, by: ({ reviewedAt }) => reviewedAt },
      {
        label: 'Evidence',
        cell: ({ evidence }) => html`<span class="narrow">${evidence.map((id) => html`<code>${id}</code> `)}</span>`
      },
      controls(framework)
    ]
  })

const changeOf = ({ changedAt, changedBy, changes }: DriftRow): Markup =>
  html`${timeMark(changedAt)} <span class="about">${name(changedBy)}${changes > 1 ? html`, ${many(changes, 'change')}` : undefined}</span>`

const reviewOf = ({ reviewedAt, reviewer }: DriftRow): Markup =>
  reviewer === undefined ? dayMark(reviewedAt) : html`${dayMark(reviewedAt)} <span class="about">${name(reviewer)}</span>`

const TOLD_BY = { log: 'our own logs', store: 'the store', nobody: 'nobody' } as const

export const orphanTable = (rows: readonly OrphanRow[], names: Names, framework: Framework | undefined): Markup =>
  table<OrphanRow>({
    id: 'orphan-rows',
    caption: 'Secrets that nobody uses',
    noun: 'secret',
    empty: 'No secret is known to be unused.',
    rows: [...rows].sort((a, b) => (b.days ?? Number.MAX_VALUE) - (a.days ?? Number.MAX_VALUE)),
    columns: [
      secretColumn(names),
      { label: 'Last read', cell: ({ lastRead }) => dayMark(lastRead), by: ({ lastRead }) => lastRead },
      {
        label: 'Days',
        isNumber: true,
        cell: ({ days }) => (days === undefined ? 'not known' : grouped(days)),
        by: ({ days }) => days
      },
      { label: 'Told by', cell: ({ from }) => TOLD_BY[from] },
      { label: 'Why', cell: ({ why }) => why },
      controls(framework)
    ]
  })

export const retentionTable = (rows: readonly RetentionRow[], framework: Framework | undefined): Markup =>
  table<RetentionRow>({
    id: 'retention-rows',
    caption: 'Retention classes',
    noun: 'row',
    empty: 'No class is known.',
    rows,
    columns: [
      { label: 'Events', cell: (row) => row.name },
      { label: 'Class', cell: (row) => badge([row.class, row.class]) },
      {
        label: 'Keep',
        cell: ({ days }) => (days === undefined ? 'for ever' : `${grouped(days)} days`),
        by: ({ days }) => days ?? Number.MAX_VALUE
      },
      number('Seen', ({ events }) => events),
      { label: 'First', cell: ({ first }) => timeMark(first), by: ({ first }) => first },
      { label: 'Last', cell: ({ last }) => timeMark(last), by: ({ last }) => last },
      { label: 'Cannot be shown', cell: ({ gaps }) => join(gaps, '; ') },
      controls(framework)
    ]
  })
