import { auditEvent, MARKS } from './event.ts'
import { membersOf, textOf, timeIn } from './members.ts'
import type { Reader } from './reader.ts'
import type { References } from './references.ts'

const marked = (marks: number, messages: string): readonly (readonly [string, number])[] =>
  messages.split('|').map((message) => [message, marks])

/**
 * What the server says of its seal, by its fixed words: a log for people has no codes (openbao internal/vault: core.go,
 * init.go, generate_root.go, seal_manager.go; hashicorp/vault has the same in vault/, and rekey.go). No audit device hears of an
 * unseal, and Vault's not of rekeying either. A seal says `marked as sealed` when it begins and `vault is sealed` when it is
 * through: the first counts, as from there on nothing is answered.
 */
const SAID: ReadonlyMap<string, number> = new Map([
  ...marked(0, 'security barrier initialized|vault is unsealed|marked as sealed|installed new encryption key'),
  ...marked(0, 'rekey initialized|security barrier rekeyed|rotation initialized|root key rotated'),
  ...marked(MARKS.root, 'root token generated|root generation initialized|root generation finished|root generation aborted')
])

/** Where these words come from; a plugin's module has another name. */
const MODULES = ['core', 'seals']

/** `2026-01-01T00:00:00.000Z [INFO]  core: vault is unsealed: key=value`, after what a collector puts before it. */
const LINE =
  /^[^{"]{0,200}?(\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:?\d\d)) \[(?:TRACE|DEBUG|INFO|WARN|ERROR)\] {1,2}(?:([\w.-]{1,100}): )?([^:]*)/

/** A line of the log, or a record of it where `log_format` is `json`. */
export const isVaultServer = (record: unknown): boolean => said(record) !== undefined

interface Said {
  readonly time: string
  readonly module: string
  readonly message: string
}

function said(record: unknown): Said | undefined {
  if (typeof record === 'string') {
    const [, time, module = '', message = ''] = LINE.exec(record) ?? []
    return time === undefined ? undefined : { time, module, message: message.trimEnd() }
  }
  const { '@timestamp': time, '@level': level, '@message': message, '@module': module } = membersOf(record)
  if (typeof level !== 'string' || typeof message !== 'string') return undefined
  return { time: textOf(time), module: textOf(module), message }
}

/** Reads the server log of Vault and OpenBao. It names nobody, and no namespace: a seal is the whole server's. */
export function vaultServerReader(refs: References): Reader {
  return {
    format: 'vault-server',
    read: (record, emit) => {
      const line = said(record)
      const at = timeIn(line?.time)
      if (!line || Number.isNaN(at)) return false
      const { time, module, message } = line
      const marks = MODULES.includes(module) ? SAID.get(message) : undefined
      if (marks === undefined) return true
      const outcome = message === 'root generation aborted' ? 'failed' : 'done'
      const identity = refs.identity('vault:server', () => ({
        name: 'unknown',
        type: 'unknown',
        isRoot: false,
        isCompute: false
      }))
      const head = { id: `${time}|${message}`, at, store: 'vault', account: 'root' } as const
      emit(auditEvent({ ...head, kind: 'seal', operation: message, outcome, identity, marks }))
      return true
    }
  }
}
