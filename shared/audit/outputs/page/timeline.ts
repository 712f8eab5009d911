import { all, byId } from './elements.ts'

const HOUR_MS = 3_600_000

interface Lane {
  readonly plot: HTMLElement
  readonly value: HTMLElement | null
  /** The hour of the timeline that both begin with. */
  readonly first: number
  readonly reads: readonly string[]
  readonly usual: readonly string[]
}

/** One hour is pointed at in all lanes: by the pointer, or by the range above them, which the keyboard moves. */
export function watchTimeline(): void {
  const timeline = byId('lanes')
  const range = byId('hour-range') as HTMLInputElement | null
  if (!timeline || !range) return
  const from = Number(timeline.dataset.from)
  const hours = Number(timeline.dataset.hours)
  const lanes = all('.plot[data-reads]', timeline).map(laneOf)
  const pointAt = (hour: number): void => {
    const text = `${new Date((from + hour) * HOUR_MS).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    range.value = `${hour}`
    range.ariaValueText = text
    timeline.classList.add('pointed')
    timeline.style.setProperty('--at', `${(hour + 0.5) / hours}`)
    const output = byId('hour')
    if (output) output.textContent = text
    for (const { value, first, reads, usual } of lanes) {
      const at = hour - first
      if (value) value.textContent = reads[at] ? `${reads[at]} reads${usual[at] ? `, usual ${usual[at]}` : ''}` : 'not known'
    }
  }
  range.addEventListener('input', () => pointAt(Number(range.value)))
  for (const { plot } of lanes)
    plot.addEventListener('pointermove', ({ clientX }) => {
      const { left, width } = plot.getBoundingClientRect()
      pointAt(Math.min(hours - 1, Math.max(0, Math.floor(((clientX - left) / width) * hours))))
    })
}

const laneOf = (plot: HTMLElement): Lane => ({
  plot,
  value: plot.parentElement?.querySelector<HTMLElement>('.value') ?? null,
  first: Number(plot.dataset.first),
  reads: (plot.dataset.reads ?? '').split(' '),
  usual: (plot.dataset.usual ?? '').split(' ')
})
