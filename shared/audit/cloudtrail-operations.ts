import { MARKS } from './event.ts'
import { type Operation, operations } from './operations.ts'

const { unrecoverable, lessAudit, rotationFailed } = MARKS

/**
 * By service and event name. Secrets Manager: user guide, "AWS Secrets Manager entries" of CloudTrail. A batch is no read:
 * each secret that it gives has a GetSecretValue record of its own (API reference, BatchGetSecretValue). IAM's, KMS's and
 * CloudTrail's are those that decide who may read a secret, and whether it is seen.
 */
export const TABLE: Readonly<Record<string, ReadonlyMap<string, Operation>>> = {
  'secretsmanager.amazonaws.com': new Map([
    ...operations('read', 'GetSecretValue'),
    ...operations('list', 'ListSecrets BatchGetSecretValue'),
    ...operations('describe', 'DescribeSecret ListSecretVersionIds GetResourcePolicy'),
    ...operations(
      'write',
      'CreateSecret PutSecretValue UpdateSecret UpdateSecretVersionStage RestoreSecret CancelSecretVersionDelete ReplicateSecretToRegions'
    ),
    ...operations('delete', 'DeleteSecret StartSecretVersionDelete EndSecretVersionDelete RemoveRegionsFromReplication'),
    ...operations('policy', 'PutResourcePolicy DeleteResourcePolicy'),
    ...operations('rotate', 'RotateSecret RotationStarted RotationSucceeded'),
    ...operations('rotate', 'RotationFailed RotationAbandoned CancelRotateSecret', rotationFailed)
  ]),
  'kms.amazonaws.com': new Map([
    ...operations('policy', 'PutKeyPolicy CreateGrant RevokeGrant RetireGrant'),
    ...operations('delete', 'DisableKey'),
    ...operations('delete', 'ScheduleKeyDeletion DeleteImportedKeyMaterial', unrecoverable)
  ]),
  'sts.amazonaws.com': new Map([
    ...operations('login', 'AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot'),
    ...operations('token', 'GetSessionToken GetFederationToken')
  ]),
  'signin.amazonaws.com': new Map(operations('login', 'ConsoleLogin')),
  'cloudtrail.amazonaws.com': new Map([
    ...operations('audit', 'CreateTrail StartLogging UpdateTrail UpdateEventDataStore PutInsightSelectors'),
    ...operations(
      'audit',
      'StopLogging DeleteTrail PutEventSelectors DeleteEventDataStore StopEventDataStoreIngestion',
      lessAudit
    )
  ]),
  'iam.amazonaws.com': new Map([
    ...operations('policy', 'PutUserPolicy PutRolePolicy PutGroupPolicy DeleteUserPolicy DeleteRolePolicy DeleteGroupPolicy'),
    ...operations('policy', 'AttachUserPolicy AttachRolePolicy AttachGroupPolicy DetachUserPolicy DetachRolePolicy'),
    ...operations('policy', 'DetachGroupPolicy CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion'),
    ...operations('policy', 'SetDefaultPolicyVersion UpdateAssumeRolePolicy AddUserToGroup'),
    ...operations('token', 'CreateAccessKey')
  ])
}

export const awsOperations = (eventSource: string): ReadonlyMap<string, Operation> | undefined =>
  Object.hasOwn(TABLE, eventSource) ? TABLE[eventSource] : undefined

/** Error codes of a call that a policy refused; the last two are those of services with EC2's protocol. */
export const DENIED_CODES = [
  'AccessDenied',
  'AccessDeniedException',
  'VpceAccessDenied',
  'UnauthorizedOperation',
  'Client.UnauthorizedOperation'
]
