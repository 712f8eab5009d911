import { setTimeout } from 'node:timers/promises'
import { Client } from 'pg'
import { parseDocument } from '../../../shared/document.ts'
import { fileStore, readCurrent } from '../../../shared/stores/file.ts'
import { iso } from '../../../shared/types.ts'
import { startClients } from './clients.ts'
import { type KillPoint, RETIREMENT_KILLS, ROTATION_KILLS } from './killing.ts'
import { type Runs, runsIn } from './runs.ts'
import { openShop, type Shop } from './shop.ts'

/** What the demo shows; with --json, exactly this. */
export interface Result {
  readonly rotations: number
  readonly kills: number
  readonly queries: number
  readonly clientErrors: number
  readonly longestPauseMs: number
  readonly proofs: readonly Proof[]
}

export interface Proof {
  readonly role: string
  /** When keyturn's own login with the old password was refused, by the server's clock. ISO 8601. */
  readonly at: string
  readonly refusal: string
  /** What this process was told, trying the old password once more for itself. */
  readonly seen: string
}

/** How long the old half stays valid in the demo; in earnest, hours. */
const GRACE_MS = 2_000
const CLIENTS = 8

type Kills = { readonly rotate: readonly KillPoint[]; readonly retire: readonly KillPoint[] }

/** Where keyturn is killed in each rotation and its retirement. */
const ROTATIONS: readonly Kills[] = [
  { rotate: [], retire: [] },
  { rotate: ROTATION_KILLS, retire: [] },
  { rotate: [], retire: RETIREMENT_KILLS },
  { rotate: ROTATION_KILLS.filter((point) => point.startsWith('after')), retire: [] }
]

/**
 * Rotates an application's password while it works, and is killed at every step.
 * @param tell gets the lines as it goes. @param ends what ends everything that was started here.
 */
export async function play(tell: (line: string) => void, ends: AsyncDisposableStack): Promise<Result> {
  const shop = await openShop(GRACE_MS, ends)
  tell(`A Postgres server with TLS, and a shop with one login. keyturn adopt gave it a twin (${shop.statements} statements).`)
  const { folder, secretId, caPem } = shop
  const clients = await startClients({ folder, secretId, ca: caPem, count: CLIENTS, cacheMs: GRACE_MS / 8 }, ends)
  tell(`${CLIENTS} clients ask without pause. The old password stays valid for ${GRACE_MS / 1_000} s after each rotation.`)
  const runs = runsIn(shop.environment, ends)
  const proofs: Proof[] = []
  for (const [index, kills] of ROTATIONS.entries()) proofs.push(await turn(shop, runs, index + 1, kills, tell))
  await clients.stop()
  for (const error of new Set(clients.errors)) tell(`a client saw ${error}`)
  return {
    rotations: proofs.length,
    kills: runs.kills(),
    queries: clients.queries(),
    clientErrors: clients.errors.length,
    longestPauseMs: Math.round(clients.longestPauseMs()),
    proofs
  }
}

/** Whether the demo showed what it is there to show. */
export const isAsPromised = ({ clientErrors, kills, proofs }: Result): boolean =>
  clientErrors === 0 &&
  kills === ROTATIONS.reduce((sum, { rotate, retire }) => sum + rotate.length + retire.length, 0) &&
  proofs.length === ROTATIONS.length &&
  proofs.every(({ refusal, seen }) => refusal === '28P01' && seen === '28P01')

/** One rotation and its retirement, each killed where it is told to be and then finished. */
async function turn(shop: Shop, runs: Runs, number: number, kills: Kills, tell: (line: string) => void): Promise<Proof> {
  const { folder, secretId } = shop
  const old = parseDocument(await readCurrent(folder, secretId))
  const say = (line: string) => tell(`rotation ${number}  ${line}`)
  const onKill = (at: KillPoint) => say(`killed ${at}, started again`)
  const rotated = await runs.finish({ action: 'rotate', secretId, requestId: `rotation-${number}` }, kills.rotate, onKill)
  say(`${rotated.current} is current, ${old.username} stays valid until the grace is over`)
  await setTimeout(Date.parse(rotated.graceEnds ?? '') - Date.now())
  await runs.finish({ action: 'retire', secretId, requestId: `retirement-${number}` }, kills.retire, onKill)
  const proof = await proofOf(shop, old)
  say(`${proof.role} is retired: a login with its old password was refused with ${proof.refusal}`)
  return proof
}

/** What keyturn recorded, and what the server says to anybody who tries. */
async function proofOf({ folder, secretId, caPem }: Shop, old: ReturnType<typeof parseDocument>): Promise<Proof> {
  const facts = await fileStore({ folder }).describe(secretId, AbortSignal.timeout(5_000))
  const retired = facts?.metadata.retired
  if (!retired) throw new Error('no retirement was recorded')
  const { host, port, dbname: database, username: user, password } = old
  const client = new Client({ host, port, database, user, password: password.reveal(), ssl: { ca: caPem } })
  const seen = await client.connect().then(
    () => 'accepted',
    (e: { readonly code?: string }) => e.code ?? 'failed'
  )
  await client.end()
  return { role: user, at: iso(retired.at), refusal: retired.refusal, seen }
}
