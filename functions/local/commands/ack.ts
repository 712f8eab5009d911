import { userInfo } from 'node:os'
import { KeyturnError } from '../../../shared/errors.ts'
import { emptyMemory, observe } from '../../../shared/rotation/observe.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import { changeMetadata } from '../metadata-change.ts'

export const addAck: AddCommand = (program, start) => {
  program
    .command('ack')
    .description('say that nobody uses the previous key any more, where the provider cannot tell')
    .argument('<secret>', 'its name, or ARN')
    .option('--by <name>', 'who says so (default: the name of this account)')
    .action((secret: string, { by }: { by?: string }) => start('ack', (i) => ack(i, secret, by ?? userInfo().username)))
}

/** For one key: the next one's retirement wants an acknowledgement of its own. The overlap is waited for all the same. */
async function ack(i: Invocation, secret: string, by: string): Promise<Answer> {
  const { facts, previous } = await observe(i.local.core, requestFor(i, secret), emptyMemory())
  if (!facts) throw new KeyturnError('not-found/secret', `no secret ${secret}`)
  if (!previous) throw new KeyturnError('invalid/request', `${facts.name} has no previous key that lives`)
  const { principal } = previous.credential
  const acknowledged = { version: previous.version, at: facts.seenAt, by }
  return changeMetadata(i, 'ack', secret, () => ({
    patch: { acknowledged },
    said: `acknowledged by ${by}: nobody uses ${principal}`,
    json: { principal, by }
  }))
}
