import type { Chance } from './chance.ts'

export interface Caller {
  readonly account: string
  readonly address: string
  readonly endpoint?: string
  readonly userIdentity: object
}

export const SECRETS = ['app/db', 'app/key', 'billing/api', 'plain', 'with-dashes-in-it', 'ends/abc-dEf123']

const [ACCOUNT, OTHER] = ['111122223333', '444455556666']

const role = (name: string, session: string, more: object = {}, account = ACCOUNT): object => ({
  type: 'AssumedRole',
  principalId: `AROAEXAMPLE:${session}`,
  arn: `arn:aws:sts::${account}:assumed-role/${name.split('/').at(-1)}/${session}`,
  accountId: account,
  sessionContext: {
    sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/${name}`, accountId: account, userName: name },
    attributes: { mfaAuthenticated: 'false' },
    ...more
  }
})

/** Callers of every kind that CloudTrail has (user guide, "userIdentity element"). */
export function callers(by: Chance) {
  const at = (userIdentity: object, address: string, account = ACCOUNT): Caller => ({ account, address, userIdentity })
  const workloads: readonly Caller[] = [
    at(role('app-one', `s-${by.below(9)}`), '10.1.2.3'),
    at(role('path/app-two', 'two'), '2001:db8:1:2::3'),
    { ...at(role('app-three', 'three'), '10.0.0.9'), endpoint: 'vpce-0abc' },
    at(role('other', 'four', {}, OTHER), '10.9.9.9', OTHER),
    at(role('machine', 'i-0123456789abcdef0'), '10.1.2.9'),
    at(role('delivered', 'five', { ec2RoleDelivery: '2.0' }), '10.1.3.9'),
    at({ ...role('lambda', 'fn'), inScopeOf: { issuerType: 'AWS::Lambda::Function' } }, '10.1.4.9')
  ]
  const sso = (person: string): object => role('aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b', person)
  const people: readonly Caller[] = [
    at(sso('alice@example.com'), '198.51.100.1'),
    at(sso('bob@example.com'), '2001:db8:2::1'),
    at(
      {
        type: 'IAMUser',
        principalId: 'AIDA1',
        arn: `arn:aws:iam::${ACCOUNT}:user/team/carol`,
        accountId: ACCOUNT,
        userName: 'carol'
      },
      '198.51.100.3'
    ),
    at({ type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT }, '198.51.100.4'),
    at({ type: 'IdentityCenterUser', principalId: 'P1', accountId: ACCOUNT }, '198.51.100.5')
  ]
  const others: readonly Caller[] = [
    at({ type: 'AWSAccount', principalId: 'AIDAFOREIGN', accountId: '999999999999' }, '192.0.2.1'),
    at(
      { type: 'FederatedUser', principalId: 'F1', arn: `arn:aws:sts::${ACCOUNT}:federated-user/fed`, accountId: ACCOUNT },
      '192.0.2.2'
    ),
    at({ type: 'WebIdentityUser', principalId: 'web:sub', userName: 'sub' }, '192.0.2.3')
  ]
  const cloud: readonly Caller[] = [
    at({ type: 'AWSService', invokedBy: 'secretsmanager.amazonaws.com' }, 'secretsmanager.amazonaws.com'),
    at({ accountId: ACCOUNT, invokedBy: 'rds.amazonaws.com' }, 'rds.amazonaws.com'),
    at({ accountId: ACCOUNT }, 'AWS Internal')
  ]
  return { workloads, people, others, cloud }
}
