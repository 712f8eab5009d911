import { type GoogleStatus, HTTP } from './google-secrets-state.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

/** google.aip.dev/193. */
export const googleError = (
  status: GoogleStatus,
  message: string,
  details: readonly object[] = []
): ProviderAnswer & { readonly status: number } => ({
  status: HTTP[status],
  body: { error: { code: HTTP[status], message, status, ...(details.length > 0 && { details }) } }
})

/** google/rpc/error_details.proto. */
export const errorInfo = (reason: string, metadata: Readonly<Record<string, string>>, domain = 'googleapis.com') => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain,
  metadata
})

/** What disableServiceAccountKeyCreation was seen to answer: google/create-service-account#21. */
export const policyFailure = (type: string, subject: string) => ({
  '@type': 'type.googleapis.com/google.rpc.PreconditionFailure',
  violations: [{ type, subject, description: 'Key creation is not allowed on this service account.' }]
})

export const denied = (permission: string): ProviderAnswer & { readonly status: number } =>
  googleError('PERMISSION_DENIED', `Permission '${permission}' denied on resource (or it may not exist).`, [
    errorInfo('IAM_PERMISSION_DENIED', { permission }, 'iam.googleapis.com')
  ])

export const throttled = googleError('RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Write requests'.", [
  errorInfo('RATE_LIMIT_EXCEEDED', { quota_limit: 'WriteRequestsPerMinutePerProject' })
])

/** The administrator’s of the doubles of Google. */
export const ADMIN_TOKEN = 'ya29.an-administrators-token'

/** What the host gives the target. */
export const administrator = async (): Promise<Headers> => new Headers({ authorization: `Bearer ${ADMIN_TOKEN}` })

/** Only the administrator's token is known; undefined: it is. */
export const unauthenticated = ({ headers }: ProviderRequest): ProviderAnswer | undefined =>
  headers.authorization === `Bearer ${ADMIN_TOKEN}`
    ? undefined
    : googleError('UNAUTHENTICATED', 'Request had invalid authentication credentials.')
