import * as v from 'valibot'
import type { Objects } from '../ports/objects.ts'
import { auditSettingsOf, type GivenAudit } from './function-settings.ts'
import type { AuditHost } from './run-audit.ts'

/** An object, or what names of objects begin with. */
interface Named {
  readonly name: string
}

/** A bucket of S3 or Cloud Storage, and a name in it. */
export interface BucketPlace extends Named {
  readonly bucket: string
}

/** What `url` takes apart as bucket and name. */
export const bucketPlaceIn =
  (url: RegExp) =>
  (text: string): BucketPlace | undefined => {
    const [, bucket, name = ''] = url.exec(text) ?? []
    return bucket === undefined ? undefined : { bucket, name }
  }

/** Says how places of one host are written. */
export interface PlaceForm<T extends Named> {
  /** Undefined: it is none. */
  readonly placeIn: (text: string) => T | undefined
  readonly examples: { readonly state: string; readonly logs: string; readonly reports: string }
  /** What holds the state there: `object`. */
  readonly noun: string
  /** What else is said of its form. */
  readonly more?: string
}

/** The settings that name places. */
export function placeSettings<T extends Named>({ placeIn, examples, noun, more = '' }: PlaceForm<T>) {
  const place = (name: string, example: string) =>
    v.pipe(
      v.string(`${name} must be set, and read like ${example}`),
      v.rawTransform(({ dataset, addIssue, NEVER }): T => {
        const found = placeIn(dataset.value)
        if (found) return found
        addIssue({ message: `${name} must read like ${example}${more}` })
        return NEVER
      })
    )
  return {
    KEYTURN_AUDIT_STATE: v.pipe(
      place('KEYTURN_AUDIT_STATE', examples.state),
      v.check(({ name }) => name !== '' && !name.endsWith('/'), `KEYTURN_AUDIT_STATE must name ${noun}`)
    ),
    KEYTURN_AUDIT_LOGS: v.optional(place('KEYTURN_AUDIT_LOGS', examples.logs)),
    KEYTURN_AUDIT_REPORTS: v.optional(place('KEYTURN_AUDIT_REPORTS', examples.reports))
  }
}

interface GivenPlaces<T> extends GivenAudit {
  readonly KEYTURN_AUDIT_STATE: T
  readonly KEYTURN_AUDIT_LOGS?: T | undefined
  readonly KEYTURN_AUDIT_REPORTS?: T | undefined
}

type OfSettings = Pick<AuditHost, 'settings' | 'state' | 'logs' | 'reports' | 'notifyFrom' | 'now'>

/** What every host makes of its settings alike. `objects`: those that a place is among. */
export function auditHostOf<T extends Named>(given: GivenPlaces<T>, objects: (place: T) => Objects): OfSettings {
  const { KEYTURN_AUDIT_STATE: state, KEYTURN_AUDIT_LOGS: logs, KEYTURN_AUDIT_REPORTS: reports } = given
  const below = (place: T) => ({ place: objects(place), prefix: place.name })
  return {
    settings: auditSettingsOf(given),
    state: { place: objects(state), name: state.name },
    logs: logs && below(logs),
    reports: reports && { ...below(reports), framework: given.KEYTURN_AUDIT_FRAMEWORK },
    notifyFrom: given.KEYTURN_NOTIFY_FROM,
    now: Date.now
  }
}
