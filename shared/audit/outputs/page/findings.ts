import { all, byId, hasWords, tally, wordsOf } from './elements.ts'

/** The charts below are to be found: of a long list the rest is shown when it is asked for. */
const MOST_AT_FIRST = 20

const SEVERITIES = ['low', 'medium', 'high', 'critical']

/** The tiles, the search, the two choices and the order; all of them hold together. */
export function watchFindings(): void {
  const list = byId('finding-list')
  const tools = byId('finding-tools')
  if (!list || !tools) return
  const items = all('li.finding', list)
  const tiles = all<HTMLButtonElement>('button[data-severity]')
  const more = byId('more')
  let isAll = false
  const show = (): void => {
    const wanted = wantedNow(tiles)
    let shown = 0
    for (const item of all('li.finding', list)) {
      item.hidden = !isWanted(item, wanted)
      if (!item.hidden) shown++
      item.classList.toggle('beyond', !isAll && shown > MOST_AT_FIRST)
    }
    tally('finding-list', shown, items.length)
    if (!more) return
    more.hidden = isAll || shown <= MOST_AT_FIRST
    more.textContent = `Show ${shown - MOST_AT_FIRST} more`
  }
  more?.addEventListener('click', () => {
    const next = list.querySelector<HTMLElement>('li.beyond:not([hidden]) summary')
    isAll = true
    show()
    next?.focus()
  })
  for (const tile of tiles)
    tile.addEventListener('click', () => {
      tile.ariaPressed = `${tile.ariaPressed !== 'true'}`
      show()
    })
  tools.addEventListener('input', show)
  byId('by-order')?.addEventListener('change', () => {
    list.append(...inOrder(items, chosen('by-order')))
    show()
  })
  show()
  watchOpening(items)
}

interface Wanted {
  readonly severities: readonly string[]
  readonly signal: string
  readonly store: string
  readonly words: readonly string[]
}

const chosen = (id: string): string => (byId(id) as HTMLSelectElement | null)?.value ?? ''

const wantedNow = (tiles: readonly HTMLButtonElement[]): Wanted => ({
  severities: tiles.flatMap((tile) => (tile.ariaPressed === 'true' ? [tile.dataset.severity ?? ''] : [])),
  signal: chosen('by-signal'),
  store: chosen('by-store'),
  words: wordsOf(document.querySelector<HTMLInputElement>('input[data-search="finding-list"]')?.value ?? '')
})

/** No tile is pressed: every severity. */
const isWanted = (item: HTMLElement, { severities, signal, store, words }: Wanted): boolean =>
  (severities.length === 0 || severities.includes(item.dataset.severity ?? '')) &&
  (signal === '' || item.dataset.signal === signal) &&
  (store === '' || item.dataset.store === store) &&
  hasWords(item, words)

function inOrder(items: readonly HTMLElement[], order: string): readonly HTMLElement[] {
  const number = (item: HTMLElement, key: 'last' | 'count'): number => Number(item.dataset[key])
  const severity = (item: HTMLElement): number => SEVERITIES.indexOf(item.dataset.severity ?? '')
  const newest = (a: HTMLElement, b: HTMLElement): number => number(b, 'last') - number(a, 'last')
  if (order === 'newest') return items.toSorted(newest)
  if (order === 'most events') return items.toSorted((a, b) => number(b, 'count') - number(a, 'count'))
  return items.toSorted((a, b) => severity(b) - severity(a) || newest(a, b))
}

/** One button opens all; paper cannot be opened, so print has all open. */
function watchOpening(items: readonly HTMLElement[]): void {
  const details = items.flatMap((item) => all<HTMLDetailsElement>('details', item))
  const button = byId('open-all')
  button?.addEventListener('click', () => {
    const open = button.ariaPressed !== 'true'
    for (const one of details) one.open = open
    button.ariaPressed = `${open}`
    button.textContent = open ? 'Close all' : 'Open all'
  })
  let closed: readonly HTMLDetailsElement[] = []
  addEventListener('beforeprint', () => {
    closed = details.filter(({ open }) => !open)
    for (const one of closed) one.open = true
  })
  addEventListener('afterprint', () => {
    for (const one of closed) one.open = false
  })
}
