import { Command, CommanderError } from 'commander'
import { KeyturnError } from '../../shared/errors.ts'
import type { AddCommand, Answer } from './command.ts'
import { addAck } from './commands/ack.ts'
import { addAdopt } from './commands/adopt.ts'
import { addAsk } from './commands/ask.ts'
import { addAudit } from './commands/audit.ts'
import { addCreate } from './commands/create.ts'
import { addDoctor } from './commands/doctor.ts'
import { addHold } from './commands/hold.ts'
import { addRelease } from './commands/release.ts'
import { addRemoveKey } from './commands/remove-key.ts'
import { addRetire } from './commands/retire.ts'
import { addRollback } from './commands/rollback.ts'
import { addRotate } from './commands/rotate.ts'
import { addStatus } from './commands/status.ts'
import { addSweep } from './commands/sweep.ts'
import { EXITS, type Exit } from './exit-codes.ts'
import { painter, table } from './output.ts'
import { type Environment, failedAnswer, type Globals, starter } from './start.ts'
import { STORE_NAMES } from './stores.ts'
import type { Terminal } from './terminal.ts'

/** Runs one command line. Everything it says goes through the terminal that is passed in; never throws. */
export async function runCli(argv: readonly string[], environment: Environment, terminal: Terminal): Promise<Exit> {
  let exit: Exit = 0
  // Known before the options are parsed, because what is wrong with them is printed as JSON too.
  const asJson = argv.includes('--json')
  const paint = painter(terminal.colours)
  const print = (answer: Answer): void => {
    exit = answer.exit
    if (asJson) return void terminal.stdout.write(`${JSON.stringify(answer.json)}\n`)
    const [text, problem] = [answer.text(paint), answer.problem?.(paint) ?? '']
    if (text !== '') terminal.stdout.write(`${text}\n`)
    if (problem !== '') terminal.stderr.write(`${problem}\n`)
  }
  const program = programOf(terminal)
  const start = starter(() => program.opts<Globals>(), environment, terminal, print)
  for (const add of COMMANDS) add(program, start)
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (e) {
    if (e instanceof CommanderError && e.exitCode === 0) return 0
    if (!asJson && e instanceof CommanderError && e.code === 'commander.help')
      terminal.stderr.write(`${program.helpInformation()}\n`)
    print(failedAnswer('keyturn', e instanceof CommanderError ? usageError(e) : e))
  }
  return exit
}

const COMMANDS: readonly AddCommand[] = [
  addStatus,
  addRotate,
  addRetire,
  addSweep,
  addRollback,
  addAck,
  addRemoveKey,
  addHold,
  addRelease,
  addDoctor,
  addAdopt,
  addCreate,
  addAudit,
  addAsk
]

function programOf(terminal: Terminal): Command {
  const exits = EXITS.map(([exit, meaning]) => [`  ${exit}`, meaning])
  return (
    new Command('keyturn')
      .description('Rotates the credentials that services use, and proves that the old ones are dead.')
      .option('--store <name>', `where the secrets are: ${STORE_NAMES.join(', ')} (KEYTURN_STORE; default: file)`)
      .option('--folder <path>', 'of the file store (KEYTURN_FOLDER; default: ~/.keyturn)')
      .option('--json', 'print one JSON object on standard output, and nothing else')
      .option('--dry-run', 'print every effect without doing it')
      .option('--timeout <duration>', 'stop between two steps after this long', '5m')
      .option('--request-id <id>', 'names this request: repeated with the same id, it has effect once')
      .option('--verbose', 'log every step on standard error, as JSON lines')
      .configureHelp({ showGlobalOptions: true })
      // A usage error is printed by runCli, with its code.
      .configureOutput({ writeOut: (text) => void terminal.stdout.write(text), writeErr: () => {} })
      .exitOverride()
      .addHelpText('after', `\nExit codes:\n${table([], exits, painter(false))}`)
  )
}

/** Commander's message names the option or the argument; without a command it is `(outputHelp)`. */
function usageError({ code, message }: CommanderError): KeyturnError {
  if (code === 'commander.help') return new KeyturnError('invalid/request', 'a command is missing; keyturn --help lists them')
  return new KeyturnError('invalid/request', message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '))
}
