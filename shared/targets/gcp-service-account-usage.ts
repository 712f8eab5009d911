import { DAY_MS } from '../duration.ts'
import { hasCode } from '../errors.ts'
import { arrayIn, recordIn, textIn } from '../google-api.ts'
import type { Usage } from '../ports/target.ts'
import type { ProviderApi } from '../provider-api.ts'
import { instantIn, iso } from '../types.ts'
import { accepted, type Wanted } from './gcp-answers.ts'
import type { ServiceAccountKey } from './gcp-service-account-document.ts'

/**
 * A day, because the report has the date alone (its time is always 07:00Z), and two more, because it “might not include very
 * recent authentication events”: the page has no figure, so that a report that ends earlier is not believed (Activity
 * Analyzer, “Understand activities”: docs.cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication).
 */
export const TELEMETRY_LAG_MS = 3 * DAY_MS

const ROLE = 'policyanalyzer.serviceAccountKeyLastAuthenticationActivities.query (roles/policyanalyzer.activityAnalysisViewer)'
const ACTIVITIES = 'locations/global/activityTypes/serviceAccountKeyLastAuthentication/activities:query'

/**
 * When a key was last used to call an API of Google Cloud, by Activity Analyzer. It does not know of calls to APIs outside of
 * Google Cloud, such as Workspace's by domain-wide delegation: see the page above.
 */
export async function lastUseOf(api: ProviderApi, of: ServiceAccountKey, id: string, signal: AbortSignal): Promise<Usage> {
  const name = `//iam.googleapis.com/projects/${of.projectId}/serviceAccounts/${of.account}/keys/${id}`
  const query = new URLSearchParams({ filter: `activities.full_resource_name="${name}"` })
  const wanted: Wanted = { what: `Activity Analyzer was asked when ${id} was last used`, needs: ROLE }
  const path = `/v1/projects/${encodeURIComponent(of.projectId)}/${ACTIVITIES}?${query}`
  const answer = await api({ method: 'GET', path }, signal)
  try {
    const activities = arrayIn(accepted(answer, wanted).activities).map(recordIn)
    return usageIn(
      activities.find((a) => textIn(a.fullResourceName)?.endsWith(`/keys/${id}`)),
      id,
      answer.date
    )
  } catch (e) {
    // Nobody may, or the API is not enabled: that is no reason to stop, and none to believe that nobody uses the key.
    if (hasCode(e, 'denied/provider', 'not-found/principal')) return { state: 'cannot-tell', why: e.message }
    throw e
  }
}

function usageIn(activity: Readonly<Record<string, unknown>> | undefined, id: string, now: number): Usage {
  // A key that was never used is listed, without a time; one that is disabled is not listed (the same page).
  if (!activity) return { state: 'cannot-tell', why: `Activity Analyzer tells nothing of ${id}: it is new, or disabled` }
  const until = instantIn(textIn(recordIn(activity.observationPeriod).endTime))
  if (until === undefined || now - until > TELEMETRY_LAG_MS) {
    const why = `Activity Analyzer saw the uses of ${id} until ${until === undefined ? 'it does not say when' : iso(until)}`
    return { state: 'cannot-tell', why: `${why}, and none since` }
  }
  const time = textIn(recordIn(activity.activity).lastAuthenticatedTime)
  const lastUsedAt = instantIn(time)
  if (time !== undefined && lastUsedAt === undefined)
    return { state: 'cannot-tell', why: `Activity Analyzer gives no time that can be read for ${id}` }
  return { state: 'last-used', lastUsedAt }
}
