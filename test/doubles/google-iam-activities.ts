import { unauthenticated } from './google-iam-errors.ts'
import type { KeyShelf } from './key-shelf.ts'
import type { Route } from './provider-double.ts'

const DAY_MS = 24 * 3_600_000
const SEVEN_MS = 7 * 3_600_000

/** The day of an instant as the report writes it: “the time in this timestamp is always T07:00:00Z”. */
const day = (at: number): string =>
  new Date(Math.floor((at - SEVEN_MS) / DAY_MS) * DAY_MS + SEVEN_MS).toISOString().replace('.000', '')

/**
 * docs.cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication: an activity of a key that
 * was never used has no lastAuthenticatedTime; a disabled key has no activity at all. `observed`: until when, given now.
 */
export const queryActivity = (shelf: KeyShelf, observed: (now: number) => number | undefined): Route => ({
  op: 'QueryActivity',
  method: 'GET',
  path: /^\/v1\/projects\/([^/]+)\/locations\/global\/activityTypes\/serviceAccountKeyLastAuthentication\/activities:query$/,
  answer: (request) => {
    const filter = request.url.searchParams.get('filter') ?? ''
    const name = /^activities\.full_resource_name="([^"]+)"$/.exec(filter)?.[1] ?? ''
    const key = shelf.find(name.split('/').at(-1) ?? '')
    const until = observed(request.now)
    const refused = unauthenticated(request)
    if (refused) return refused
    if (!key || key.isDisabled || until === undefined) return { status: 200, body: {} }
    const time = key.lastUsedAt === undefined ? {} : { lastAuthenticatedTime: day(key.lastUsedAt) }
    const serviceAccountKey = { fullResourceName: name, projectNumber: '123456789012', serviceAccountId: '103185812403937829397' }
    const activity = {
      fullResourceName: name,
      activityType: 'serviceAccountKeyLastAuthentication',
      observationPeriod: { startTime: '2020-04-20T07:00:00Z', endTime: day(until) },
      activity: { ...time, serviceAccountKey }
    }
    return { status: 200, body: { activities: [activity] } }
  }
})
