import type { Command } from 'commander'
import type { Metadata, MetadataPatch } from '../../shared/metadata.ts'
import { periodMsOf } from '../../shared/policy.ts'
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
}

export const addPolicyOptions = (command: Command): Command =>
  command
    .option('--owner <name>', 'whom to ask')
    .option('--environment <name>', 'such as production')
    .option('--period <duration>', 'how often to rotate (default: 30d)')
    .option('--grace <duration>', 'how long the old credential stays valid (default: 24h)')
    .option('--window <times>', 'when sweep may rotate, UTC, such as "sat+sun 02:00-04:00"')

/** The options that were given, checked together with what the secret has. Throws `invalid/*`. */
export function policyPatch({ owner, environment, period, grace, window }: PolicyOptions, before: Metadata = {}): MetadataPatch {
  const given = {
    owner,
    environment,
    periodMs: period === undefined ? undefined : durationOption(period, '--period'),
    graceMs: grace === undefined ? undefined : durationOption(grace, '--grace'),
    window
  }
  const patch = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as MetadataPatch
  const after = { ...before, ...patch } as Metadata
  periodMsOf(after)
  isOpen(after.window, instant(0))
  return patch
}
