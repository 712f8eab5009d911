import { KeyturnError } from './errors.ts'

export const DAY_MS = 86_400_000

const UNITS: readonly (readonly [string, number])[] = [
  ['d', DAY_MS],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1]
]

/** `36h`, `7d`, `90m`, `15s`, `500ms` → milliseconds. */
export function parseDuration(text: string, field: string): number {
  const match = /^(\d{1,12})(ms|[smhd])$/.exec(text.trim())
  const unit = UNITS.find(([name]) => name === match?.[2])
  if (!match || !unit) throw new KeyturnError('invalid/metadata', `${field} must be a number with ms, s, m, h or d, such as 36h`)
  return Number(match[1]) * unit[1]
}

export function formatDuration(ms: number): string {
  const [name, size] = UNITS.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1]
  return `${ms / size}${name}`
}
