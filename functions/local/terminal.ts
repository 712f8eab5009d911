import { createInterface } from 'node:readline/promises'
import { KeyturnError } from '../../shared/errors.ts'
import type { Screen } from './progress.ts'

/** Where a command line reads and writes. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: Screen
  readonly stdin: AsyncIterable<string | Uint8Array>
  readonly colours: boolean
  /** Aborted when a person pressed Ctrl-C. */
  readonly interrupted: AbortSignal
  readonly ask: (question: string) => Promise<boolean>
}

/** This process's own. Ctrl-C asks the command to stop between two steps; a second one ends the process where it stands. */
export function processTerminal(): Terminal {
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort())
  const { stdout, stderr, stdin } = process
  // Whoever reads may stop reading (`keyturn status | head -1`).
  stdout.on('error', () => {})
  return { stdout, stderr, stdin, colours: stdout.isTTY && stdout.hasColors(), interrupted: abort.signal, ask }
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new KeyturnError('invalid/request', 'this asks first, and nobody can answer: add --yes')
  const dialog = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await dialog.question(`${question} [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    dialog.close()
  }
}
