import type { Owned } from '../functions/lambda-cloud.ts'
import { coldStart, type Subject, startWarm, type Warm } from './processes.ts'
import { type Stage, TEMPLATE } from './store.ts'

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The four steps in one process: the milliseconds from event to answer, together. */
async function rotate(stage: Stage, secret: Owned, process: Warm): Promise<{ ms: number; rssBytes: number }> {
  const taken = { ms: 0, rssBytes: 0 }
  await stage.rotate(secret, async (event) => {
    const begin = performance.now()
    taken.rssBytes = (await process.send(event)).rssBytes
    taken.ms += performance.now() - begin
  })
  return taken
}

async function inOneProcess<T>(subject: Subject, work: (process: Warm) => Promise<T>): Promise<T> {
  const process = await startWarm(subject)
  try {
    return await work(process)
  } finally {
    await process.stop()
  }
}

export interface Counts {
  readonly storeCalls: number
  readonly storeCallsCold: number
  readonly logins: number
  readonly failedLogins: number
}

/** One rotation in a process that has rotated before, and one with a new process for each step. */
export async function count(stage: Stage, subject: Subject): Promise<Counts> {
  const counted = async (work: (secret: Owned) => Promise<unknown>) => {
    const secret = await stage.cloud.secret(TEMPLATE)
    const before = stage.calls()
    const logins = await stage.cloud.logins(() => work(secret))
    return { calls: stage.calls() - before, ...logins }
  }
  const warm = await inOneProcess(subject, async (process) => {
    await rotate(stage, await stage.cloud.secret(TEMPLATE), process)
    return counted((secret) => rotate(stage, secret, process))
  })
  const cold = await counted((secret) => stage.rotate(secret, (event) => inOneProcess(subject, (process) => process.send(event))))
  return { storeCalls: warm.calls, storeCallsCold: cold.calls, logins: warm.logins, failedLogins: warm.failedLogins }
}

/**
 * Both handlers on the same servers, turn by turn, each with a secret of its own. After each rotation the owner takes the
 * labels off that it left, so that no grace stands in the way. (Setting the store's clock forward instead would be unfair
 * to the plain handler: its read of a value that is not there yet is an error, and the SDK takes an error from a server
 * whose clock is elsewhere for one of the signature, and sends it again.)
 */
export async function compareWall(stage: Stage, a: Subject, b: Subject, times: number): Promise<readonly [number, number]> {
  const side = async (process: Warm) => ({ process, ms: [] as number[], secret: await stage.cloud.secret(TEMPLATE) })
  return inOneProcess(a, (one) =>
    inOneProcess(b, async (other) => {
      const [x, y] = [await side(one), await side(other)]
      for (let round = -3; round < times; round++) {
        // Who comes first changes, so that neither always finds what the other has warmed.
        for (const turn of round % 2 === 0 ? [x, y] : [y, x]) {
          const { ms } = await rotate(stage, turn.secret, turn.process)
          if (round >= 0) turn.ms.push(ms)
          await forget(stage, turn.secret)
        }
      }
      return [median(x.ms), median(y.ms)] as const
    })
  )
}

/** The most memory that a process had which rotated once, from its start. */
export async function peakRss(stage: Stage, subject: Subject, times: number): Promise<number> {
  const bytes: number[] = []
  for (let i = 0; i < times; i++) {
    const secret = await stage.cloud.secret(TEMPLATE)
    bytes.push((await inOneProcess(subject, (process) => rotate(stage, secret, process))).rssBytes)
  }
  return median(bytes)
}

/** Medians of new processes, from their start to the answer of the first createSecret, turn by turn. */
export async function compareCold(stage: Stage, subjects: readonly Subject[], times: number): Promise<readonly number[]> {
  const ms = subjects.map((): number[] => [])
  const secret = await stage.cloud.secret(TEMPLATE)
  for (let round = -1; round < times; round++) {
    for (const [at, subject] of subjects.entries()) {
      const create = await stage.begin(await copyOf(stage, secret))
      const took = await coldStart(subject, create)
      if (round >= 0) ms[at]?.push(took)
    }
  }
  return ms.map(median)
}

let copies = 0

/** Takes every label but AWSCURRENT off: then the store knows of no other login than current's. */
async function forget({ cloud: { owner } }: Stage, { name }: Owned): Promise<void> {
  const { VersionIdsToStages = {} } = await owner.describeSecret({ SecretId: name })
  for (const [RemoveFromVersionId, labels] of Object.entries(VersionIdsToStages)) {
    for (const VersionStage of labels.filter((label) => label !== 'AWSCURRENT'))
      await owner.updateSecretVersionStage({ SecretId: name, VersionStage, RemoveFromVersionId })
  }
}

/** A secret with the same value: createSecret asks no database. */
async function copyOf({ cloud }: Stage, secret: Owned): Promise<Owned> {
  const { SecretString = '' } = await cloud.owner.getSecretValue({ SecretId: secret.name, VersionStage: 'AWSCURRENT' })
  const name = `${secret.name}-${++copies}`
  const { ARN = name } = await cloud.owner.createSecret({ Name: name, SecretString })
  return { ...secret, name, arn: ARN }
}
