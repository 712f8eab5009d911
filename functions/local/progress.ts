import type { Log } from '../../shared/log.ts'
import { PHASES } from '../../shared/rotation/phases.ts'

/** What a person sees while it takes long: one line that changes, on a terminal's standard error only. */
export interface Progress {
  say(text: string): void
  /** A line of its own that stays. */
  line(text: string): void
  end(): void
}

/** A stream that may be a terminal. */
export type Screen = NodeJS.WritableStream & { readonly isTTY?: boolean }

export async function progressOn(stream: Screen, wanted: boolean): Promise<Progress> {
  const quiet: Progress = { say: () => {}, line: (text) => void stream.write(text), end: () => {} }
  if (!wanted || stream.isTTY !== true) return quiet
  const { default: ora } = await import('ora')
  // discardStdin would put the terminal into raw mode, and a question could not be answered.
  const spinner = ora({ stream, discardStdin: false })
  return {
    say: (text) => {
      spinner.text = text
      if (!spinner.isSpinning) spinner.start()
    },
    line: (text) => {
      spinner.clear()
      stream.write(text)
    },
    end: () => void spinner.stop()
  }
}

/** The same log, whose steps are shown as progress as well. */
export function shown(log: Log, progress: Progress): Log {
  return {
    ...log,
    info: (event, fields) => {
      const row = event === 'step' ? PHASES.find((r) => r.phase === fields.phase) : undefined
      if (row) progress.say(`${fields.secret}: ${row.does}`)
      log.info(event, fields)
    }
  }
}
