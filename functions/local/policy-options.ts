import type { Command } from 'commander'
import { KeyturnError } from '../../shared/errors.ts'
import type { Metadata, MetadataPatch } from '../../shared/metadata.ts'
import { periodMsOf } from '../../shared/policy.ts'
import { consumersIn, declarationOf } from '../../shared/restart.ts'
import { isOpen } from '../../shared/rotation/plan.ts'
import { instant } from '../../shared/types.ts'
import { durationOption } from './humane.ts'

/** What the owner of a secret decides about it. */
export interface PolicyOptions {
  readonly owner?: string
  readonly environment?: string
  readonly period?: string
  readonly grace?: string
  readonly window?: string
  readonly quiet?: string
  readonly soak?: string
  readonly limit?: string
  readonly overLimit?: string
  readonly restart?: string
}

export const addPolicyOptions = (command: Command): Command =>
  command
    .option('--owner <name>', 'whom to ask')
    .option('--environment <name>', 'such as production')
    .option('--period <duration>', 'how often to rotate (default: 30d; keys 90d)')
    .option('--grace <duration>', 'how long the old credential stays valid (default: 24h; keys 7d)')
    .option('--window <times>', 'when sweep may rotate, UTC, such as "sat+sun 02:00-04:00"')
    .option('--quiet <duration>', 'keys: how long nobody must have used the old one (default: 24h)')
    .option('--soak <duration>', 'keys: how long the old one is disabled before it is deleted (default: 24h)')
    .option('--limit <duration>', 'keys: after how long an old one that is still used is overdue (default: 30d)')
    .option('--over-limit <what>', 'keys: what is done then: alert or cut (default: alert)')
    .option('--restart <consumers>', 'who starts again after a promotion, such as "ecs:prod/shop"')

/** The options that were given, checked together with what the secret has. Throws `invalid/*`. */
export function policyPatch(options: PolicyOptions, before: Metadata = {}): MetadataPatch {
  const { owner, environment, period, grace, window, quiet, soak, limit, overLimit, restart } = options
  const optional = (text: string | undefined, name: string) => (text === undefined ? undefined : durationOption(text, name))
  if (overLimit !== undefined && overLimit !== 'alert' && overLimit !== 'cut')
    throw new KeyturnError('invalid/request', '--over-limit must be alert or cut')
  const given = {
    owner,
    environment,
    periodMs: optional(period, '--period'),
    graceMs: optional(grace, '--grace'),
    window,
    quietMs: optional(quiet, '--quiet'),
    soakMs: optional(soak, '--soak'),
    limitMs: optional(limit, '--limit'),
    overLimit,
    restart: restart === undefined ? undefined : declarationOf(consumersIn(restart))
  }
  const patch = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as MetadataPatch
  const after = { ...before, ...patch } as Metadata
  periodMsOf(after)
  isOpen(after.window, instant(0))
  return patch
}
