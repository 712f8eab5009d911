import type { SecretsManager } from '@aws-sdk/client-secrets-manager'

/** A server that speaks the API of AWS Secrets Manager, and the real client on it. */
export interface Harness {
  readonly client: SecretsManager
  /** A rotation function that does nothing. */
  readonly functionArn: string
  /** Resolves when no rotation runs. */
  idle(): Promise<unknown>
  close(): Promise<void>
}

/** One secret of its own a test, and short words for what is done with it. Tokens are named by one letter. */
export interface Subject extends Harness {
  readonly name: string
  /** Creates the secret with the value `one` as version `a`. */
  create(): Promise<string>
  put(letter: string, value: string, stages?: string[]): Promise<unknown>
  move(label: string, to?: string, from?: string): Promise<unknown>
  read(version?: string, stage?: string): Promise<string | undefined>
  /** Which labels each version has, by DescribeSecret: letter → labels in order. */
  stages(): Promise<Record<string, readonly string[]>>
}

/** What AWS shows, by its API reference; and how to see it. */
export type Sight = readonly [aws: unknown, see: (s: Subject) => Promise<unknown>]
export type Sights = Readonly<Record<string, Sight>>

export const token = (letter: string): string => letter.repeat(36)
export const letter = (id: string | undefined): string => (id && /^(.)\1{35}$/.test(id) ? id.charAt(0) : 'other')

/** What a call ended with: the error's name, or `done`. */
export const ending = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (e: unknown) => (e instanceof Error ? e.name : String(e))
  )

let made = 0

export function subject(harness: Harness): Subject {
  const { client } = harness
  const name = `contract/${process.pid}-${made++}`
  return {
    ...harness,
    name,
    create: async () => {
      const { ARN } = await client.createSecret({ Name: name, SecretString: 'one', ClientRequestToken: token('a') })
      return ARN ?? ''
    },
    put: (at, value, stages) =>
      client.putSecretValue({
        SecretId: name,
        SecretString: value,
        ClientRequestToken: token(at),
        ...(stages && { VersionStages: stages })
      }),
    move: (label, to, from) =>
      client.updateSecretVersionStage({
        SecretId: name,
        VersionStage: label,
        ...(to && { MoveToVersionId: token(to) }),
        ...(from && { RemoveFromVersionId: token(from) })
      }),
    read: async (version, stage) => {
      const where = { ...(version && { VersionId: token(version) }), ...(stage && { VersionStage: stage }) }
      return (await client.getSecretValue({ SecretId: name, ...where })).SecretString
    },
    stages: async () => {
      const { VersionIdsToStages } = await client.describeSecret({ SecretId: name })
      const labelled = Object.entries(VersionIdsToStages ?? {}).filter(([, held]) => held.length > 0)
      return Object.fromEntries(labelled.map(([id, held]) => [letter(id), [...held].sort()]))
    }
  }
}
