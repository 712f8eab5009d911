import { type KubernetesSettings, kubernetesWorkload } from '../../shared/consumers/kubernetes.ts'
import { SecretText } from '../../shared/types.ts'
import { type ConsumerHarness, type SeenDouble, startSeen, TOKEN } from './consumer-suite.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

export interface Workload {
  /** metadata.generation: it moves when the spec does. */
  generation: number
  readonly spec: Readonly<Record<string, unknown>> & { readonly template: Template }
}

interface Template {
  readonly metadata: { readonly annotations: Record<string, string> }
  readonly spec: unknown
}

export interface KubernetesHarness extends ConsumerHarness {
  readonly double: SeenDouble
  /** `orders/deployments/web` → its state. */
  readonly workloads: Map<string, Workload>
  readonly settings: KubernetesSettings
}

export const workload = (spec: Readonly<Record<string, unknown>> = {}): Workload => ({
  generation: 1,
  spec: {
    ...spec,
    template: { metadata: { annotations: { 'example.com/of': 'the owner' } }, spec: { containers: [{ name: 'web' }] } }
  }
})

/** A Kubernetes API server for apps/v1 (kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1, “patch”). */
export async function startKubernetes(): Promise<KubernetesHarness> {
  const workloads = new Map([['orders/deployments/web', workload()]])
  const path = /^\/apis\/apps\/v1\/namespaces\/([^/]+)\/((?:deployment|statefulset|daemonset)s)\/([^/]+)$/
  const double = await startSeen({
    routes: [{ op: 'patch', method: 'PATCH', path, answer: (request) => patched(request, workloads) }],
    unknown: { status: 404, body: '404 page not found\n' }
  })
  let time = Date.parse('2026-03-01T02:00:00.100Z')
  const settings: KubernetesSettings = {
    apiServer: double.url,
    token: async () => new SecretText(TOKEN),
    now: () => time++,
    pausesMs: [0]
  }
  return {
    double,
    workloads,
    settings,
    restart: kubernetesWorkload(settings),
    consumer: { kind: 'k8s', name: 'orders/deployment/web' },
    missing: { consumer: { kind: 'k8s', name: 'orders/deployment/gone' }, code: 'not-found/principal' },
    malformed: ['orders/web', 'orders/pod/web', 'orders/deployment/..', 'Orders/deployment/web', 'orders/deployment/web/scale'],
    denied: {
      answer: status(
        403,
        'Forbidden',
        'deployments.apps "web" is forbidden: User "system:serviceaccount:x:keyturn" cannot patch'
      ),
      names: /patch on deployments \(apps\) in the namespace orders/
    },
    // kubernetes.io/docs/concepts/cluster-administration/flow-control: 429, as text.
    throttled: { status: 429, body: 'Too many requests, please try again later.', headers: { 'Retry-After': '1' } },
    restarts: () => (workloads.get('orders/deployments/web')?.generation ?? 0) - 1,
    stop: double.close
  }
}

/** kubernetes/apimachinery, pkg/apis/meta/v1/types.go, Status. */
const status = (code: number, reason: string, message: string): ProviderAnswer => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
})

function patched({ headers, params, json }: ProviderRequest, workloads: Map<string, Workload>): ProviderAnswer {
  if (headers.authorization !== `Bearer ${TOKEN}`) return status(401, 'Unauthorized', 'Unauthorized')
  if (headers['content-type'] !== 'application/strategic-merge-patch+json')
    return status(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format')
  const [namespace, plural, name] = params
  const found = workloads.get(params.join('/'))
  if (!found) return status(404, 'NotFound', `${plural}.apps "${name}" not found`)
  const { annotations } = (json as { spec: { template: Template } }).spec.template.metadata
  const old = found.spec.template.metadata.annotations
  // A patch that changes nothing leaves the generation as it is.
  if (Object.entries(annotations).some(([key, value]) => old[key] !== value)) found.generation += 1
  Object.assign(old, annotations)
  const metadata = { namespace, name, generation: found.generation }
  return { status: 200, body: { kind: 'Deployment', apiVersion: 'apps/v1', metadata, spec: found.spec } }
}
