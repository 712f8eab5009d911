import { noticedFindings } from '../findings.ts'
import { matcher } from '../settings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'decoy-read',
  question: 'Did anybody touch a secret that is there to be found by thieves?',
  severity: 'critical',
  technique: 'T1555.006',
  todo: 'Nobody has a reason to: revoke this identity now, and rotate all that it read.'
} as const

const compiled = new WeakMap<readonly string[], (name: string) => boolean>()

export const decoyRead: Signal = {
  ...SIGNAL,
  watch: ({ secret, kind }, { decoys }) => {
    if (decoys.length === 0 || !secret || kind === 'describe') return false
    const isDecoy = compiled.get(decoys) ?? matcher(decoys)
    compiled.set(decoys, isDecoy)
    return isDecoy(secret.name)
  },
  judge: ({ fresh }) =>
    noticedFindings(SIGNAL, fresh.notices.values(), ({ subject, operation, outcome }) => ({
      title: `${subject.identityName} touched the decoy ${subject.secretName}`,
      why: `${operation} ${outcome === 'done' ? 'was answered' : 'was refused'}; no program uses this secret.`
    }))
}
