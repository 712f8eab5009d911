import { MARKS } from './event.ts'
import { type Operation, operations } from './operations.ts'

const { unrecoverable, lessAudit } = MARKS

/**
 * By service, and by what stands behind the last dot of the method, in lower case: the same method is
 * `google.cloud.secretmanager.v1.SecretManagerService.SetIamPolicy`, `google.iam.admin.v1.SetIAMPolicy` or `SetIamPolicy`,
 * as the service likes. Secret Manager's are those of its page "Secret Manager audit logging"; UpdateSecret and what enables or
 * disables a version change no value, so that they are no writes. IAM's and Logging's are those that decide who may read a
 * secret, and whether it is seen (pages "IAM audit logging", "Service Account Credentials audit logging", "Cloud Logging audit
 * logging").
 */
export const TABLE: ReadonlyMap<string, ReadonlyMap<string, Operation>> = new Map([
  [
    'secretmanager.googleapis.com',
    new Map([
      ...operations('read', 'accesssecretversion'),
      ...operations('list', 'listsecrets'),
      ...operations('describe', 'getsecret getsecretversion listsecretversions getiampolicy'),
      ...operations('describe', 'updatesecret enablesecretversion disablesecretversion'),
      ...operations('write', 'createsecret addsecretversion'),
      ...operations('delete', 'deletesecret destroysecretversion', unrecoverable),
      ...operations('policy', 'setiampolicy')
    ])
  ],
  ['cloudresourcemanager.googleapis.com', new Map(operations('policy', 'setiampolicy'))],
  [
    'iam.googleapis.com',
    new Map([
      ...operations('policy', 'setiampolicy createrole updaterole deleterole undeleterole'),
      ...operations('token', 'createserviceaccountkey uploadserviceaccountkey deleteserviceaccountkey')
    ])
  ],
  ['iamcredentials.googleapis.com', new Map(operations('token', 'generateaccesstoken generateidtoken signblob signjwt'))],
  ['sts.googleapis.com', new Map(operations('login', 'exchangetoken'))],
  ['login.googleapis.com', new Map(operations('login', 'loginsuccess loginfailure'))],
  [
    'logging.googleapis.com',
    new Map([
      ...operations('audit', 'createsink updatesink updatebucket deleteexclusion updatesettings'),
      ...operations('audit', 'deletesink createexclusion updateexclusion deletebucket deletelog', lessAudit)
    ])
  ]
])

/** Undefined: it says nothing about secrets. */
export const gcpOperation = (serviceName: string, method: string): Operation | undefined => TABLE.get(serviceName)?.get(method)

/** `AccessSecretVersion` of `google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion`. */
export const methodOf = (methodName: string): string => methodName.slice(methodName.lastIndexOf('.') + 1)

const DEFAULT_LIFE = 3_600

/**
 * Seconds that what was given out lives: NaN where nothing was. An access token lives as long as was asked for, else an hour
 * (REST reference, projects.serviceAccounts.generateAccessToken); a key for ever, unless the organization bounds it.
 */
export function gcpLife(method: string, lifetime: unknown): number {
  if (method === 'createserviceaccountkey') return Number.POSITIVE_INFINITY
  if (method !== 'generateaccesstoken') return Number.NaN
  if (lifetime === undefined) return DEFAULT_LIFE
  const [, seconds] = typeof lifetime === 'string' ? (/^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(lifetime) ?? []) : []
  return seconds === undefined ? Number.NaN : Number(seconds)
}
