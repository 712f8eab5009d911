import type { Summary } from '../summary.ts'
import type { About } from './about.ts'
import { driftFinding, orphanFinding, rotationFinding } from './ocsf-compliance.ts'
import { detectionFinding } from './ocsf-detection.ts'

/**
 * A summary as events of OCSF 1.6.0, the version that AWS Security Hub keeps: one Detection Finding (2004) for each finding,
 * one Compliance Finding (2003) for each secret that is not rotated in time, each policy that was not reviewed and each
 * secret that nobody reads. NDJSON: one event a line, with a line break behind it. The same thing seen again by a later run
 * has the same `finding_info.uid`. Names of a log are as the log has them, not escaped.
 */
export function* ocsfLines(summary: Summary, about: About): Generator<string> {
  const types = new Map(summary.inventory.map(({ identity, identityType }) => [identity, identityType]))
  for (const one of summary.findings) yield line(detectionFinding(one, types, about))
  for (const row of summary.rotation) yield* lines(rotationFinding(row, about))
  for (const row of summary.drift) yield* lines(driftFinding(row, about))
  for (const row of summary.orphans) yield* lines(orphanFinding(row, about))
}

/** Undefined members are no members. */
const line = (event: object): string => `${JSON.stringify(event)}\n`

const lines = (event: object | undefined): readonly string[] => (event ? [line(event)] : [])
