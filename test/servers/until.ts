import { setTimeout } from 'node:timers/promises'

/** Looks every 5 ms until `look` sees something, and gives it back; throws after `deadlineMs`, naming what was waited for. */
export async function until<Seen>(what: string, deadlineMs: number, look: () => Seen | undefined | Promise<Seen | undefined>) {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > deadline) throw new Error(`${what}: nothing seen in ${deadlineMs} ms`)
    await setTimeout(5)
  }
}
