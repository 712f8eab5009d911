import type { LogSource } from '../../../shared/audit/decode.ts'
import { duration } from '../humane.ts'
import type { Progress } from '../progress.ts'

/** Bytes as they lie there, in words. */
export const bytesText = (bytes: number): string =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : bytes >= 1e6
      ? `${Math.round(bytes / 1e6)} MB`
      : `${Math.round(bytes / 1e3)} kB`

/** Says how far the reading is, how fast it goes, and how long it will take, four times a second at most. */
export function readingProgress(
  progress: Progress,
  all: number | undefined
): (bytes: number, source: Pick<LogSource, 'name'>) => void {
  const began = performance.now()
  let [read, said] = [0, began]
  return (bytes, { name }) => {
    read += bytes
    const now = performance.now()
    if (now - said < 250) return
    said = now
    const perSecond = read / ((now - began) / 1_000)
    const part = all === undefined ? bytesText(read) : `${Math.floor((100 * read) / Math.max(1, all))} % of ${bytesText(all)}`
    const left = all === undefined ? '' : `, ${duration(((all - read) / perSecond) * 1_000)} left`
    progress.say(`${name}: ${part}, ${bytesText(perSecond)}/s${left}`)
  }
}
