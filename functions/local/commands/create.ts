import { readFile } from 'node:fs/promises'
import { KeyturnError } from '../../../shared/errors.ts'
import type { MetadataPatch } from '../../../shared/metadata.ts'
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
  const policy = policyPatch(options)
  const { principal, counterpart } = core.targetFor(text).inspect(text, { secret })
  const managed: MetadataPatch = { kind: 'postgres', managedSince: instant(Date.now()), ...policy }
  if (!i.dryRun) await createSecret({ folder }, secret, text, options.managed ? managed : {})
  const logins = counterpart ? `${principal}, taking turns with ${counterpart}` : principal
  const json = { secret, managed: options.managed, current: principal, counterpart: counterpart ?? null }
  return {
    exit: 0,
    json: { action: 'create', ok: true, dryRun: i.dryRun, ...json },
    text: (paint) =>
      `${paint('bold', secret)}${i.dryRun ? ' would be' : ''} created in ${folder}: ${logins}${options.managed ? '' : ', not managed'}`
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
