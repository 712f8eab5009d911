import { discard } from './google-secrets-catalog.ts'
import { secondsOf } from './google-secrets-settings.ts'
import { etag, type Json, record, type Secret, truth, type World } from './google-secrets-state.ts'

/** What the service does by itself when its time has come, done before each call. */
export function settle(world: World): void {
  for (const held of world.shelf.values()) {
    const secret = truth(held)
    if (!secret) continue
    rotate(world, secret)
    destroyDue(world, secret)
    const { expireTime } = truth(secret.meta).fields
    if (isPast(world, expireTime)) discard(world, secret)
  }
}

const isPast = (world: World, time: unknown): boolean => time !== undefined && Date.parse(String(time)) <= world.now()

/**
 * resources.proto, Rotation: the time is advanced by the period. Measured: without a period the rotation is removed, and
 * either way the secret's etag changes. The message to the topics is not sent.
 */
function rotate(world: World, secret: Secret): void {
  const meta = truth(secret.meta)
  const { nextRotationTime, rotationPeriod } = (meta.fields.rotation ?? {}) as Json
  if (!isPast(world, nextRotationTime)) return
  const { rotation: _, ...rest } = meta.fields
  const periodMs = rotationPeriod === undefined ? 0 : secondsOf(rotationPeriod) * 1000
  const due = Date.parse(String(nextRotationTime))
  const next = due + Math.ceil((world.now() - due + 1) / periodMs) * periodMs
  const rotation = { nextRotationTime: new Date(periodMs > 0 ? next : due).toISOString(), rotationPeriod }
  record(world, secret.meta, { ...meta, fields: periodMs > 0 ? { ...rest, rotation } : rest, etag: etag(world) })
}

/** resources.proto, scheduled_destroy_time. */
function destroyDue(world: World, secret: Secret): void {
  for (const { states } of secret.versions) {
    const { scheduledDestroyTime } = truth(states)
    if (!isPast(world, scheduledDestroyTime)) continue
    record(world, states, { state: 'DESTROYED', value: undefined, etag: etag(world), destroyTime: scheduledDestroyTime })
  }
}
