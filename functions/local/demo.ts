import { asKeyturnError, KeyturnError } from '../../shared/errors.ts'
import { instant } from '../../shared/types.ts'
import { isAsPromised, play, type Result } from './demo/story.ts'
import { clock } from './humane.ts'
import { painter, table } from './output.ts'

const asJson = process.argv.includes('--json')
const paint = painter(process.stdout.isTTY && process.stdout.hasColors())
const began = performance.now()
const ends = new AsyncDisposableStack()

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130))
// Whoever reads may stop reading (`npm start | head -1`): there is nobody left to show it to.
process.stdout.once('error', () => void end(1))
await end(await demo())

async function demo(): Promise<number> {
  try {
    const result = await play(asJson ? () => {} : tell, ends)
    console.log(asJson ? JSON.stringify(result) : `\n${summary(result)}`)
    return isAsPromised(result) ? 0 : 1
  } catch (e) {
    // Ctrl-C takes away what the play stands on.
    if (ends.disposed) return 130
    console.error(
      e instanceof KeyturnError || !(e instanceof Error) ? `${asKeyturnError(e).code}: ${asKeyturnError(e).message}` : e.stack
    )
    return 1
  }
}

/** Once: what was started or made is ended or removed, in reverse. */
async function end(exit: number): Promise<void> {
  if (ends.disposed) return
  await ends.disposeAsync()
  process.exit(exit)
}

function tell(line: string): void {
  const seconds = ((performance.now() - began) / 1_000).toFixed(1).padStart(5)
  console.log(`${paint('dim', `${seconds} s`)}  ${line}`)
}

function summary({ rotations, kills, queries, clientErrors, longestPauseMs, proofs }: Result): string {
  const deaths = proofs.map(
    ({ role, at, refusal, seen }) =>
      `${role}, ${clock(instant(Date.parse(at)))}: login refused with ${refusal}, and ${seen} when tried again`
  )
  const rows = [
    ['rotations', String(rotations)],
    ['kills', String(kills)],
    ['client queries', queries.toLocaleString('en')],
    ['client errors', paint(clientErrors === 0 ? 'green' : 'red', String(clientErrors))],
    ['longest client pause', `${longestPauseMs} ms`],
    ['proof of death', deaths.join('\n')]
  ]
  return table([], rows, paint)
}
