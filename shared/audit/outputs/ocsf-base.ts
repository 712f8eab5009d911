import type { Severity } from '../finding.ts'
import type { About } from './about.ts'

export const OCSF_VERSION = '1.6.0'

const CLASSES = { 2003: 'Compliance Finding', 2004: 'Detection Finding' } as const

const SEVERITY = {
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical']
} as const satisfies Record<Severity, readonly [number, string]>

/** What every finding must have (schema.ocsf.io/1.6.0, base_event and finding). `code`: the signal, or the report. */
export function findingBase(
  classUid: keyof typeof CLASSES,
  code: string,
  severity: Severity,
  cloud: object | undefined,
  { version, generatedAt }: About
) {
  const [severity_id, caption] = SEVERITY[severity]
  return {
    activity_id: 1,
    activity_name: 'Create',
    category_uid: 2,
    category_name: 'Findings',
    class_uid: classUid,
    class_name: CLASSES[classUid],
    type_uid: classUid * 100 + 1,
    type_name: `${CLASSES[classUid]}: Create`,
    severity_id,
    severity: caption,
    status_id: 1,
    status: 'New',
    time: generatedAt,
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'keyturn', vendor_name: 'keyturn', version },
      event_code: code,
      ...(cloud && { profiles: ['cloud'] })
    },
    ...(cloud && { cloud })
  }
}

const CLOUDS: Readonly<Record<string, readonly [provider: string, accountType: number]>> = {
  aws: ['AWS', 10],
  azure: ['Azure', 13],
  gcp: ['GCP', 11]
}

/** Undefined: Vault is no cloud, and some findings are of two. An Azure vault's account is its subscription. */
export function cloudOf(store: string | undefined, account?: string): object | undefined {
  const [provider, typeId] = CLOUDS[store ?? ''] ?? []
  if (provider === undefined) return undefined
  const uid = store === 'azure' ? /^\/subscriptions\/([^/]+)/i.exec(account ?? '')?.[1] : account
  return { provider, ...(uid && { account: { uid, type_id: typeId } }) }
}

/** OCSF's times are whole milliseconds. */
export const timeOf = (at: number): number => Math.round(at)
