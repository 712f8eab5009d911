import type { Identity } from './event.ts'
import type { References } from './references.ts'

/** Members of `userIdentity` (CloudTrail user guide, "userIdentity element"); every one may be empty. */
export interface AwsCaller {
  readonly type: string
  readonly arn: string
  readonly principalId: string
  readonly accountId: string
  readonly userName: string
  readonly invokedBy: string
  /** `sessionContext.sessionIssuer.arn`: the role behind a session. */
  readonly issuerArn: string
  /** `sessionContext.ec2RoleDelivery`: how an instance got its credentials. */
  readonly ec2RoleDelivery: string
  /** `inScopeOf.issuerType`: `AWS::EC2::Instance`, `AWS::Lambda::Function` … */
  readonly issuerType: string
}

/**
 * A role is one identity whatever its sessions are called, but for the roles of IAM Identity Center, where each session is
 * a person. Records of the services' own have no type at all.
 */
export function awsIdentity(refs: References, caller: AwsCaller): Identity {
  const { type, arn, issuerArn, invokedBy } = caller
  const session = /:assumed-role\/[^/]+\/(.+)$/.exec(arn)?.[1] ?? caller.principalId.split(':')[1] ?? ''
  const isSso = /\/AWSReservedSSO_/.test(issuerArn || arn)
  if (type === 'Root') return identity(refs, `root/${caller.accountId}`, 'root', 'person', true, false)
  if (type === 'AWSService' || (type === '' && arn === ''))
    return identity(refs, `service/${invokedBy || 'aws'}`, invokedBy || 'aws', 'service', false, false)
  if (isSso) return identity(refs, `${issuerArn || arn}/${session}`, session, 'person', false, false)
  const key = issuerArn || arn || caller.principalId || caller.accountId
  const isPerson = type === 'IAMUser' || type === 'IdentityCenterUser'
  return identity(refs, key, nameOf(caller, key), isPerson ? 'person' : 'workload', false, isOfCompute(caller, session))
}

const identity = (
  refs: References,
  key: string,
  name: string,
  type: Identity['type'],
  isRoot: boolean,
  isCompute: boolean
): Identity => refs.identity(`aws:${key}${isCompute ? '#compute' : ''}`, () => ({ name, type, isRoot, isCompute }))

const nameOf = ({ userName }: AwsCaller, key: string): string =>
  userName || key.replace(/^arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:user|role)\//, '')

/**
 * An instance's session is called by the instance's id. Functions and tasks are not meant: outside of a VPC their calls leave
 * by addresses of AWS's own, which change from one to the next.
 */
const isOfCompute = ({ ec2RoleDelivery, issuerType }: AwsCaller, session: string): boolean =>
  ec2RoleDelivery !== '' || issuerType.startsWith('AWS::EC2::') || /^i-[0-9a-f]{8,17}$/.test(session)
