import * as v from 'valibot'
import type { Setting } from '../setting.ts'
import { settingsIn } from '../setting.ts'
import { FRAMEWORKS } from './controls.ts'
import { SEVERITIES } from './finding.ts'
import { AUDIT_DEFAULTS, type AuditSettings, hoursIn, isZone } from './settings.ts'

const words = v.pipe(
  v.string(),
  v.transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
)

/** What every host's `summarize-audit` is told by its environment; places are each host's own. */
export const AUDIT_ENVIRONMENT = {
  KEYTURN_AUDIT_ZONE: v.optional(
    v.pipe(v.string(), v.check(isZone, 'KEYTURN_AUDIT_ZONE must be a time zone such as Europe/London')),
    'UTC'
  ),
  KEYTURN_AUDIT_HOURS: v.optional(
    v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const hours = hoursIn(dataset.value)
        if (hours) return hours
        addIssue({ message: 'KEYTURN_AUDIT_HOURS must be two hours of the day such as 7-19' })
        return NEVER
      })
    ),
    '7-19'
  ),
  KEYTURN_AUDIT_HOLIDAYS: v.optional(words, ''),
  KEYTURN_AUDIT_DECOYS: v.optional(words, ''),
  KEYTURN_AUDIT_FRAMEWORK: v.optional(v.picklist(FRAMEWORKS, `KEYTURN_AUDIT_FRAMEWORK must be one of ${FRAMEWORKS.join(', ')}`)),
  KEYTURN_NOTIFY_FROM: v.optional(v.picklist(SEVERITIES, `KEYTURN_NOTIFY_FROM must be one of ${SEVERITIES.join(', ')}`), 'high')
} as const

const SAYS: Readonly<Record<keyof typeof AUDIT_ENVIRONMENT, string>> = {
  KEYTURN_AUDIT_ZONE: 'time zone that people work in',
  KEYTURN_AUDIT_HOURS: 'hours of the day that people work in, from Monday to Friday',
  KEYTURN_AUDIT_HOLIDAYS: 'days on which nobody works, such as `2026-12-25`',
  KEYTURN_AUDIT_DECOYS: 'secrets that nobody has a reason to touch; `*` stands for any text',
  KEYTURN_AUDIT_FRAMEWORK: 'whose controls reports name: `soc2`, `iso27001` or `hipaa`; else all',
  KEYTURN_NOTIFY_FROM: 'findings as bad as this are told'
}

/** Places are URLs of each host's own. */
const PLACES: readonly Setting[] = [
  { name: 'KEYTURN_AUDIT_STATE', fallback: '–', says: 'the object that the state is kept in; must be set' },
  { name: 'KEYTURN_AUDIT_LOGS', fallback: '–', says: 'where logs lie, for a run by schedule' },
  { name: 'KEYTURN_AUDIT_REPORTS', fallback: '–', says: 'where reports are written' }
]

/** Of one host each. */
const HOSTS: readonly Setting[] = [
  {
    name: 'KEYTURN_AUDIT_HUB__fullyQualifiedNamespace',
    fallback: '–',
    says: 'Azure: the namespace of an event hub that is read, `myhubs.servicebus.windows.net`, by the app’s identity; `__credential` and `__clientId` for a user-assigned one'
  },
  { name: 'KEYTURN_AUDIT_HUB_NAME', fallback: '–', says: 'Azure: the event hub' },
  { name: 'KEYTURN_AUDIT_HUB_GROUP', fallback: '$Default', says: 'Azure: its consumer group' },
  { name: 'AWS_ENDPOINT_URL_S3', fallback: 'the region’s', says: 'AWS: another endpoint of S3; the bucket is in the path there' },
  { name: 'CLOUD_STORAGE_ENDPOINT', fallback: 'Google’s', says: 'Google Cloud: another endpoint of Cloud Storage' }
]

export const AUDIT_SETTINGS: readonly Setting[] = [...PLACES, ...settingsIn(AUDIT_ENVIRONMENT, SAYS), ...HOSTS]

export type GivenAudit = v.InferOutput<v.ObjectSchema<typeof AUDIT_ENVIRONMENT, undefined>>

export const auditSettingsOf = (given: GivenAudit): AuditSettings => ({
  ...AUDIT_DEFAULTS,
  zone: given.KEYTURN_AUDIT_ZONE,
  workHours: given.KEYTURN_AUDIT_HOURS,
  holidays: given.KEYTURN_AUDIT_HOLIDAYS,
  decoys: given.KEYTURN_AUDIT_DECOYS
})
