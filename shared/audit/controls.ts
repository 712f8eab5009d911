import { SIGNALS } from './signals.ts'

/**
 * What an auditor asks for, and which part of keyturn answers it. The numbers are those of the standards; the titles are
 * short names, never their text, which is under copyright where AICPA's and ISO's are concerned.
 */
export const FRAMEWORKS = ['soc2', 'iso27001', 'hipaa'] as const
export type Framework = (typeof FRAMEWORKS)[number]

/** `edition`: what the numbers are of. `source`: where they are published; HIPAA's are a page a section. */
export const FRAMEWORK_FACTS: Readonly<
  Record<Framework, { readonly name: string; readonly edition: string; readonly source: string }>
> = {
  soc2: {
    name: 'SOC 2',
    edition: 'AICPA TSP section 100, 2017 Trust Services Criteria (with revised points of focus, 2022)',
    source: 'https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022'
  },
  iso27001: { name: 'ISO 27001', edition: 'ISO/IEC 27001:2022, Annex A', source: 'https://www.iso.org/standard/27001' },
  hipaa: {
    name: 'HIPAA',
    edition: 'HIPAA Security Rule, 45 CFR part 164 subpart C',
    source: 'https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C'
  }
}

/** Every other part is a signal, by its name. */
export const REPORTS = ['inventory', 'rotation', 'drift', 'orphans', 'retention'] as const

export interface Control {
  /** With the framework: `SOC 2 CC6.1`. What rows of reports name. */
  readonly name: string
  /** As the standard numbers it: `CC6.1`, `A.5.15`, `164.308(a)(1)(ii)(D)`. */
  readonly id: string
  readonly framework: Framework
  readonly title: string
  readonly source: string
  /** Names of signals and of REPORTS. */
  readonly backs: readonly string[]
}

type Row = readonly [id: string, title: string, backs: string]

/** Each looks for what is not as usual, or must never be. */
const EVERY_SIGNAL = SIGNALS.map(({ name }) => name).join(' ')

/** Each is an incident until somebody has shown that it is not. */
const INCIDENTS =
  'mass-retrieval list-then-read same-address-two-stores compute-outside policy-public audit-disabled unrecoverable-deletion decoy-read'

const SOC2: readonly Row[] = [
  [
    'CC6.1',
    'Logical access to protected information',
    'inventory rotation denied long-ttl mass-retrieval batch-by-filter compute-outside old-version-read'
  ],
  ['CC6.2', 'Credentials are given to who is registered, and taken back', 'inventory orphans long-ttl'],
  ['CC6.3', 'Access by role, with least privilege', 'inventory drift orphans denied policy-public root-used'],
  [
    'CC6.6',
    'Threats from outside the boundary',
    'new-network failed-logins same-address-two-stores compute-outside policy-public'
  ],
  ['CC7.1', 'Changes of configuration that open a weakness are found', 'drift policy-public audit-disabled'],
  ['CC7.2', 'Anomalies are watched for', `${EVERY_SIGNAL} retention`],
  ['CC7.3', 'Security events are evaluated', `${INCIDENTS} root-used retention`],
  ['CC7.4', 'Incidents are answered', INCIDENTS]
]

const ISO27001: readonly Row[] = [
  ['A.5.15', 'Access control', 'inventory drift denied policy-public'],
  ['A.5.16', 'Identity management', 'inventory root-used'],
  ['A.5.17', 'Authentication information', 'rotation orphans long-ttl old-version-read'],
  ['A.5.18', 'Access rights', 'inventory drift orphans policy-public'],
  ['A.5.25', 'Assessment of security events', INCIDENTS],
  ['A.5.26', 'Response to incidents', INCIDENTS],
  ['A.5.28', 'Collection of evidence', 'retention audit-disabled source-silent'],
  ['A.5.33', 'Protection of records', 'retention audit-disabled unrecoverable-deletion'],
  ['A.8.2', 'Privileged access rights', 'drift root-used'],
  [
    'A.8.3',
    'Restriction of access to information',
    'inventory denied policy-public mass-retrieval list-then-read batch-by-filter decoy-read'
  ],
  ['A.8.5', 'Secure authentication', 'failed-logins long-ttl new-network compute-outside'],
  ['A.8.9', 'Configuration management', 'drift'],
  ['A.8.15', 'Logging', 'inventory retention audit-disabled source-silent'],
  ['A.8.16', 'Monitoring', EVERY_SIGNAL],
  ['A.8.24', 'Use of cryptography, and its keys', 'rotation']
]

const HIPAA: readonly Row[] = [
  ['164.308(a)(1)(ii)(D)', 'Information system activity review', `${EVERY_SIGNAL} inventory retention`],
  ['164.308(a)(3)(ii)(C)', 'Termination procedures', 'inventory orphans'],
  ['164.308(a)(4)(ii)(B)', 'Access authorization', 'denied policy-public'],
  ['164.308(a)(4)(ii)(C)', 'Access establishment and modification', 'inventory drift orphans policy-public'],
  ['164.308(a)(5)(ii)(C)', 'Log-in monitoring', 'failed-logins new-network off-hours'],
  ['164.308(a)(5)(ii)(D)', 'Password management', 'rotation old-version-read'],
  ['164.308(a)(6)(ii)', 'Response and reporting', INCIDENTS],
  [
    '164.312(a)(1)',
    'Access control',
    'inventory drift denied policy-public mass-retrieval list-then-read batch-by-filter decoy-read'
  ],
  ['164.312(a)(2)(i)', 'Unique user identification', 'inventory root-used'],
  ['164.312(b)', 'Audit controls', 'inventory retention audit-disabled source-silent'],
  ['164.312(c)(1)', 'Integrity', 'unrecoverable-deletion'],
  ['164.312(d)', 'Person or entity authentication', 'rotation failed-logins long-ttl new-network compute-outside']
]

const numbered = (framework: Framework, rows: readonly Row[]): readonly Control[] =>
  rows.map(([id, title, backs]) => ({
    name: `${FRAMEWORK_FACTS[framework].name} ${id}`,
    ...{ id, framework, title, backs: backs.split(' ') },
    source: sourceOf(framework, id)
  }))

const sourceOf = (framework: Framework, id: string): string =>
  framework === 'hipaa'
    ? `https://www.ecfr.gov/current/title-45/section-${id.slice(0, id.indexOf('('))}`
    : FRAMEWORK_FACTS[framework].source

export const CONTROLS: readonly Control[] = [
  ...numbered('soc2', SOC2),
  ...numbered('iso27001', ISO27001),
  ...numbered('hipaa', HIPAA)
]

const BY_NAME = new Map(CONTROLS.map((control) => [control.name, control]))

const BY_PART = new Map<string, readonly Control[]>(
  CONTROLS.flatMap(({ backs }) => backs).map((part) => [part, CONTROLS.filter(({ backs }) => backs.includes(part))])
)

/** All of them, or those of one framework. */
export const controlsIn = (framework: Framework | undefined, all: readonly Control[] = CONTROLS): readonly Control[] =>
  framework === undefined ? all : all.filter((control) => control.framework === framework)

/** The controls that a signal or a report backs; none for a name that is neither. */
export const controlsFor = (part: string, framework?: Framework): readonly Control[] =>
  controlsIn(framework, BY_PART.get(part) ?? [])

/** The same, their names. */
export const controlsOf = (part: string, framework?: Framework): readonly string[] =>
  controlsFor(part, framework).map(({ name }) => name)

/** The controls that a row of a report names, and only those of one framework where one is asked for. */
export const controlsNamed = (names: readonly string[], framework?: Framework): readonly Control[] =>
  controlsIn(
    framework,
    names.flatMap((name) => BY_NAME.get(name) ?? [])
  )
