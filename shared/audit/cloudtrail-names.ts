/** Where a record may name the secret, in the order in which it is believed; every member may be empty. */
export interface SecretNames {
  /** `requestParameters.secretId`: an ARN, a part of one, or a name. */
  readonly asked: string
  /** `responseElements.arn`, before February 2024 `aRN`. */
  readonly answered: string
  /** `additionalEventData.SecretId` of a rotation's events, `.ARN` of a version's deletion. */
  readonly additional: string
  /** `requestParameters.name` of CreateSecret. */
  readonly created: string
  /** Denied: parameters are null then, and only the message names the resource. */
  readonly errorMessage: string
}

/** The name without what Secrets Manager puts behind it in an ARN; empty where none of the six places has it. */
export function secretNameIn(names: SecretNames): string {
  const named = names.asked || names.answered || names.additional || names.created || resourceIn(names.errorMessage)
  const [, afterSecret] = /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)$/.exec(named) ?? []
  return afterSecret === undefined ? named : afterSecret.replace(/-[A-Za-z0-9]{6}$/, '')
}

const resourceIn = (message: string): string => /on resource: ([^\s"]+)/.exec(message)?.[1] ?? ''

/** A record that names no secret at all: the account in the ARN, where there is one, is the secret's own. */
export const accountIn = (named: string): string => /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(named)?.[1] ?? ''
