import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { SecretText } from '../../shared/types.ts'
import { type ConsumerHarness, type SeenDouble, startSeen, TOKEN } from './consumer-suite.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'
import { authorizationOf, signatureOf } from './vault-login-aws.ts'

export interface EcsHarness extends ConsumerHarness {
  readonly double: SeenDouble
  /** Cluster/service → how many deployments were forced. */
  readonly deployments: Map<string, number>
  /** Services whose deployments are another’s: CODE_DEPLOY. */
  readonly elsewhere: Set<string>
  /** Whose key signs; it is refused where it is not the double’s own. */
  sign(secretAccessKey: string): void
}

const KEY_ID = 'AKIDEXAMPLE'
const KEY = 'planted-secret-access-key'

/** Amazon ECS for UpdateService (AmazonECS/APIReference/API_UpdateService), JSON 1.1 behind a checked signature. */
export async function startEcs(): Promise<EcsHarness> {
  const deployments = new Map([['orders/web', 0]])
  const elsewhere = new Set<string>()
  let key = KEY
  const double = await startSeen({
    routes: [
      { op: 'UpdateService', method: 'POST', path: /^\/$/, answer: (request) => updated(request, deployments, elsewhere) }
    ],
    unknown: { status: 404 }
  })
  const restart = ecsService({
    region: 'eu-west-1',
    endpoint: double.url,
    credentials: async () => ({
      accessKeyId: KEY_ID,
      secretAccessKey: new SecretText(key),
      sessionToken: new SecretText(TOKEN)
    }),
    pausesMs: [0]
  })
  return {
    double,
    deployments,
    elsewhere,
    sign: (other) => {
      key = other
    },
    restart,
    consumer: { kind: 'ecs', name: 'orders/web' },
    missing: { consumer: { kind: 'ecs', name: 'orders/gone' }, code: 'not-found/principal' },
    malformed: ['orders', 'orders/web/x', 'orders/..', 'arn:aws:ecs:eu-west-1:1:cluster/web', 'orders/w b'],
    denied: {
      answer: refused('AccessDeniedException', 'User: arn:aws:iam::1:role/x is not authorized to perform: ecs:UpdateService'),
      names: /ecs:UpdateService.*orders\/web/
    },
    // CommonErrors: “The request was denied due to request throttling. HTTP Status Code: 400”.
    throttled: refused('ThrottlingException', 'Rate exceeded'),
    restarts: () => deployments.get('orders/web') ?? 0,
    stop: double.close
  }
}

/** Of most of ECS’s errors the status is 400; the type is the whole answer for some. */
export const refused = (type: string, message: string): ProviderAnswer => ({ status: 400, body: { __type: type, message } })

function updated(request: ProviderRequest, deployments: Map<string, number>, elsewhere: ReadonlySet<string>): ProviderAnswer {
  const { headers, json } = request
  if (headers['content-type'] !== 'application/x-amz-json-1.1') return refused('SerializationException', '')
  if (headers['x-amz-target'] !== 'AmazonEC2ContainerServiceV20141113.UpdateService')
    return refused('UnknownOperationException', '')
  if (!isSigned(request)) return refused('com.amazon.coral.service#InvalidSignatureException', 'The signature does not match.')
  const { cluster, service, forceNewDeployment } = json
  if (![...deployments.keys()].some((name) => name.startsWith(`${cluster}/`)))
    return refused('ClusterNotFoundException', 'Cluster not found.')
  const name = `${cluster}/${service}`
  const count = deployments.get(name)
  if (count === undefined) return refused('ServiceNotFoundException', 'Service not found.')
  if (elsewhere.has(name))
    return refused(
      'InvalidParameterException',
      'Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.'
    )
  if (forceNewDeployment === true) deployments.set(name, count + 1)
  return { status: 200, body: { service: { clusterArn: `arn:aws:ecs:eu-west-1:1:cluster/${cluster}`, serviceName: service } } }
}

function isSigned({ headers, url, text }: ProviderRequest): boolean {
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  const authorization = authorizationOf(given)
  if (authorization?.accessKeyId !== KEY_ID || authorization.service !== 'ecs' || authorization.region !== 'eu-west-1')
    return false
  const host = new URL(url.pathname, `http://${headers.host}`)
  return signatureOf({ method: 'POST', url: host, body: text, headers: given }, authorization, KEY) === authorization.signature
}
