import { awsEndpoint } from '../aws-region.ts'
import { type OwnCredentials, ownHeaders } from '../aws-signature.ts'
import { type Code, KeyturnError } from '../errors.ts'
import type { Consumer, Consumers } from '../ports/consumers.ts'
import { type ApiAnswer, type CallSettings, providerApi } from '../provider-api.ts'
import { partsOf } from '../restart.ts'
import { codeFor } from '../vendor-code.ts'

export interface EcsSettings extends CallSettings {
  /** Of the clusters. */
  readonly region: string
  readonly credentials: OwnCredentials
  /** Default: ECS of the region. */
  readonly endpoint?: string | undefined
}

/**
 * New tasks of the same definition, and then the end of the old ones: UpdateService with forceNewDeployment. A task gets a secret
 * when it starts, and a rotated one only so (AmazonECS/developerguide/secrets-envvar-secrets-manager). Signed here, and not sent by
 * an SDK: one call is not worth a client in the bundle.
 */
export function ecsService(settings: EcsSettings): Consumers['restart'] {
  const { region, credentials, endpoint = awsEndpoint('ecs', region), ...rest } = settings
  const api = providerApi({ ...rest, peer: PEER, endpoint })
  return async (consumer, _, signal) => {
    const [cluster, service] = partsOf(consumer)
    const body = JSON.stringify({ cluster, service, forceNewDeployment: true })
    const { host } = new URL(endpoint)
    const headers = await ownHeaders(PEER, credentials, { service: 'ecs', region, host, body, headers: TYPES }, signal)
    // A repeat is another deployment, which takes the place of the one under way.
    const answer = await api({ method: 'POST', path: '/', body, headers, repeatable: true }, signal)
    if (answer.status !== 200 || !answer.isJson) throw refusal(answer, consumer)
  }
}

const PEER = 'Amazon ECS'

/** JSON 1.1, as the service’s model (ecs-2014-11-13) says. */
const TYPES = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'AmazonEC2ContainerServiceV20141113.UpdateService'
}

/**
 * AmazonECS/APIReference/API_UpdateService, “Errors”, and CommonErrors. InvalidParameterException: the names are well-formed, so it
 * is the deployment that is not taken: “Cannot force a new deployment on services with a CODE_DEPLOY deployment controller”.
 */
const CODES: Readonly<Record<string, Code>> = {
  ClusterNotFoundException: 'not-found/principal',
  ServiceNotFoundException: 'not-found/principal',
  ServiceNotActiveException: 'not-found/principal',
  AccessDeniedException: 'denied/provider',
  ClientException: 'denied/provider',
  BlockedException: 'denied/provider',
  ExpiredTokenException: 'denied/provider',
  IncompleteSignature: 'denied/provider',
  InvalidSignatureException: 'denied/provider',
  MissingAuthenticationTokenException: 'denied/provider',
  UnrecognizedClientException: 'denied/provider',
  ThrottlingException: 'throttled/provider',
  RequestLimitExceeded: 'throttled/provider',
  InvalidParameterException: 'unsupported/provider',
  UnsupportedFeatureException: 'unsupported/provider'
}

const MESSAGES: Partial<Record<Code, (name: string) => string>> = {
  'not-found/principal': (name) => `there is no active service ${name}`,
  'denied/provider': (name) => `the call was denied; it needs ecs:UpdateService on the service ${name}`,
  'throttled/provider': () => 'asked to slow down',
  'unsupported/provider': (name) =>
    `no deployment of ${name} can be forced; where CodeDeploy or another controller deploys it, declare a hook that starts one there`
}

function refusal({ json, status }: ApiAnswer, { name }: Consumer): KeyturnError {
  const vendor = codeIn(json) ?? String(status)
  const code = codeFor(CODES, vendor, status)
  const message = MESSAGES[code]?.(name) ?? `the deployment of ${name} was answered with ${vendor}`
  return new KeyturnError(code, `${PEER}: ${message}`, vendor)
}

/** The type alone, or behind a namespace and `#` (smithy.io/2.0/aws/protocols/aws-json-1_1-protocol, “Operation error serialization”). */
function codeIn(json: unknown): string | undefined {
  const type = (json as { __type?: unknown } | null | undefined)?.__type
  return typeof type === 'string' ? /(?:^|#)(\w{1,100})$/.exec(type)?.[1] : undefined
}
