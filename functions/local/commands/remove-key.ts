import { KeyturnError } from '../../../shared/errors.ts'
import { contextOf, emptyMemory, observe } from '../../../shared/rotation/observe.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import { keysOf } from '../key-standing.ts'

export const addRemoveKey: AddCommand = (program, start) => {
  program
    .command('remove-key')
    .description('delete a key at the provider that no stage of the secret names: made by hand, or by a run that died')
    .argument('<secret>', 'its name, or ARN')
    .argument('<key>', 'the key’s id, as keyturn status shows it')
    .option('--yes', 'do not ask')
    .action((secret: string, key: string, { yes = false }: { yes?: boolean }) =>
      start('remove-key', (i) => removeKey(i, secret, key, yes))
    )
}

/** Only a person decides about a key without our mark (design rule 3): nothing else in keyturn deletes one. */
async function removeKey(i: Invocation, secretId: string, key: string, isSure: boolean): Promise<Answer> {
  const { core } = i.local
  const request = requestFor(i, secretId)
  const o = await observe(core, request, emptyMemory())
  const { facts, current, pending } = o
  if (!facts || !current) throw new KeyturnError('not-found/secret', `no secret ${secretId}, or it has no current value`)
  const target = core.targetFor(current.credential.document)
  if (target.facts.issue !== 'minted')
    throw new KeyturnError('unsupported/provider', `${facts.name} opens a ${target.facts.kind}, which has no keys to delete`)
  if (pending) throw new KeyturnError('busy/claimed', `${facts.name} has an attempt under way, and the key may be its own`)
  const keys = await keysOf(core, o, request)
  if (typeof keys === 'string') throw new KeyturnError('unavailable/provider', keys)
  const found = keys.find(({ id }) => id === key)
  if (!found) throw new KeyturnError('not-found/principal', `${facts.name}: the provider lists no key ${key}`)
  if (found.role !== 'unknown') throw new KeyturnError('conflict/key-not-ours', `${key} is ${found.role} in ${facts.name}`)
  const json = { action: 'remove-key', ok: true, dryRun: i.dryRun, secret: facts.name, key }
  const said =
    (text: string): Answer['text'] =>
    (paint) =>
      `${paint('bold', facts.name)}: ${key} ${text}`
  if (i.dryRun) return { exit: 0, json, text: said('would be deleted') }
  i.progress.end()
  if (!isSure && !(await i.ask(`Delete ${key}${found.createdAt ? `, made ${found.createdAt}` : ''}? Whoever uses it is cut.`)))
    return { exit: 4, json: { ...json, ok: false }, text: said('was left as it was') }
  const hold = await target.hold(current.credential, contextOf(facts), i.deadline.signal)
  await hold.discard({ ...current.credential, principal: key }, i.deadline.signal)
  return { exit: 0, json, text: said('is deleted') }
}
