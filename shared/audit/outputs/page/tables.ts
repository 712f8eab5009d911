import { all, hasWords, tally, wordsOf } from './elements.ts'

/** Heads sort, the field above a table searches it. */
export function watchTables(): void {
  for (const table of all<HTMLTableElement>('table[data-sortable]')) {
    for (const button of all<HTMLButtonElement>('button.sort', table))
      button.addEventListener('click', () => sortBy(table, button))
    const search = document.querySelector<HTMLInputElement>(`input[data-search="${table.id}"]`)
    search?.addEventListener('input', () => filter(table, wordsOf(search.value)))
  }
}

function filter(table: HTMLTableElement, words: readonly string[]): void {
  const rows = all<HTMLTableRowElement>('tbody tr', table)
  let shown = 0
  for (const row of rows) {
    row.hidden = !hasWords(row, words)
    if (!row.hidden) shown++
  }
  tally(table.id, shown, rows.length)
}

const COMPARE = new Intl.Collator('en', { numeric: true }).compare

/** Numbers begin with the greatest, names with the first; what has no value is last both ways. */
function sortBy(table: HTMLTableElement, button: HTMLButtonElement): void {
  const head = button.parentElement as HTMLTableCellElement
  const at = head.cellIndex
  const body = table.tBodies[0]
  if (!body) return
  const keyed = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[at]) }))
  const isNumber = keyed.every(({ key }) => key === '' || !Number.isNaN(Number(key)))
  const isDown = head.ariaSort === null ? isNumber : head.ariaSort === 'ascending'
  keyed.sort((a, b) => {
    if (a.key === '' || b.key === '') return Number(a.key === '') - Number(b.key === '')
    const order = isNumber ? Number(a.key) - Number(b.key) : COMPARE(a.key, b.key)
    return isDown ? -order : order
  })
  for (const other of all('th', table)) other.ariaSort = null
  head.ariaSort = isDown ? 'descending' : 'ascending'
  body.append(...keyed.map(({ row }) => row))
}

const keyOf = (cell: HTMLTableCellElement | undefined): string => cell?.dataset.by ?? cell?.textContent?.trim() ?? ''
