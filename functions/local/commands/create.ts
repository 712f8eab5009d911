import { readFile } from 'node:fs/promises'
import { KeyturnError } from '../../../shared/errors.ts'
import { membersOf } from '../../../shared/json-members.ts'
import type { MetadataPatch } from '../../../shared/metadata.ts'
import type { Core } from '../../../shared/rotation/core.ts'
import { createSecret } from '../../../shared/stores/file.ts'
import { instant, SecretText } from '../../../shared/types.ts'
import type { AddCommand, Answer, Invocation } from '../command.ts'
import { addPolicyOptions, type PolicyOptions, policyPatch } from '../policy-options.ts'

interface Options extends PolicyOptions {
  readonly from: string
  readonly managed: boolean
}

export const addCreate: AddCommand = (program, start) => {
  const command = program
    .command('create')
    .description('put a document into the file store, under management')
    .argument('<secret>', 'its name')
    .requiredOption('--from <file>', 'the JSON document; - for standard input. Never an argument: others can read those')
    .option('--no-managed', 'keep it, and never rotate it: an admin’s secret')
  addPolicyOptions(command).action((secret: string, options: Options) => start('create', (i) => create(i, secret, options)))
}

async function create(i: Invocation, secret: string, options: Options): Promise<Answer> {
  const { storeName, folder, core } = i.local
  if (storeName !== 'file')
    throw new KeyturnError(
      'unsupported/store',
      'create writes to the file store; elsewhere use the store’s own tools, then adopt'
    )
  const text = await readDocument(options.from, i.stdin)
  const found = inspected(core, text, secret, options.managed)
  const kind = found?.kind ?? ''
  const patch: MetadataPatch = options.managed
    ? { kind, managedSince: instant(Date.now()), ...policyPatch(options, { kind }) }
    : {}
  if (!i.dryRun) await createSecret({ folder }, secret, text, patch)
  const { principal = null, counterpart = null } = found ?? {}
  const logins = counterpart ? `${principal}, taking turns with ${counterpart}` : (principal ?? 'a document')
  const json = { secret, managed: options.managed, current: principal, counterpart }
  return {
    exit: 0,
    json: { action: 'create', ok: true, dryRun: i.dryRun, ...json },
    text: (paint) =>
      `${paint('bold', secret)}${i.dryRun ? ' would be' : ''} created in ${folder}: ${logins}${options.managed ? '' : ', not managed'}`
  }
}

/** What nobody rotates may be any document: the token of a provider's administrator. */
function inspected(core: Core, text: SecretText, secret: string, isManaged: boolean) {
  try {
    const target = core.targetFor(text)
    return { kind: target.facts.kind, ...target.inspect(text, { secret }) }
  } catch (e) {
    if (isManaged) throw e
    membersOf(text, new Set())
    return undefined
  }
}

async function readDocument(from: string, stdin: AsyncIterable<string | Uint8Array>): Promise<SecretText> {
  if (from !== '-') return new SecretText(await readFile(from, 'utf8').catch(() => unreadable(from)))
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return new SecretText(Buffer.concat(chunks).toString('utf8'))
}

function unreadable(path: string): never {
  throw new KeyturnError('invalid/request', `--from: ${path} cannot be read`)
}
