import { type CloudRunSettings, cloudRunService } from '../../shared/consumers/gcp-cloud-run.ts'
import { type ConsumerHarness, type SeenDouble, startSeen, TOKEN } from './consumer-suite.ts'
import { googleError } from './google-iam-errors.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

export interface RunService {
  etag: number
  /** Names of its revisions → the template that each was made from, as JSON. */
  readonly revisions: Map<string, string>
  template: Readonly<Record<string, unknown>>
  traffic?: readonly Readonly<Record<string, unknown>>[]
  readonly others: Readonly<Record<string, unknown>>
}

export interface CloudRunHarness extends ConsumerHarness {
  readonly double: SeenDouble
  /** `shop/europe-west1/orders` → its state. */
  readonly services: Map<string, RunService>
  /** What somebody else does between a read and the write that follows. */
  between(work: (() => void) | undefined): void
}

export const TEMPLATE = {
  revision: 'orders-00001-abc',
  annotations: { 'example.com/of': 'the owner' },
  containers: [{ image: 'img', env: [{ name: 'KEY', valueSource: { secretKeyRef: { secret: 'k', version: 'latest' } } }] }],
  maxInstanceRequestConcurrency: 80,
  aFieldThatIsNew: { of: ['next year'] }
}

export const runService = (): RunService => ({
  etag: 1,
  revisions: new Map([['orders-00001-abc', JSON.stringify(TEMPLATE)]]),
  template: TEMPLATE,
  others: { ingress: 'INGRESS_TRAFFIC_ALL', labels: { team: 'orders' } }
})

/** The Cloud Run Admin API v2 for get and patch (run/docs/reference/rest/v2/projects.locations.services). */
export async function startCloudRun(): Promise<CloudRunHarness> {
  const services = new Map([['shop/europe-west1/orders', runService()]])
  let between: (() => void) | undefined
  const authorized = (work: (service: RunService, request: ProviderRequest) => ProviderAnswer) => (request: ProviderRequest) => {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return googleError('UNAUTHENTICATED', 'invalid credentials')
    const service = services.get(request.params.join('/'))
    return service
      ? work(service, request)
      : googleError('NOT_FOUND', `Resource '${request.params[2]}' of kind 'SERVICE' not found`)
  }
  const get = authorized((service) => {
    const answer = { status: 200, body: bodyOf(service) }
    between?.()
    return answer
  })
  const path = /^\/v2\/projects\/([^/]+)\/locations\/([^/]+)\/services\/([^/]+)$/
  const double = await startSeen({
    routes: [
      { op: 'get', method: 'GET', path, answer: get },
      { op: 'patch', method: 'PATCH', path, answer: authorized(patched) }
    ],
    unknown: { status: 404, body: '<html>Error 404 (Not Found)!!1</html>' }
  })
  let time = Date.parse('2026-03-01T02:00:00.100Z')
  const settings: CloudRunSettings = {
    project: 'shop',
    authorize: async () => new Headers({ authorization: `Bearer ${TOKEN}` }),
    endpoint: double.url,
    now: () => time++,
    pausesMs: [0]
  }
  return {
    double,
    services,
    between: (work) => {
      between = work
    },
    restart: cloudRunService(settings),
    consumer: { kind: 'run', name: 'europe-west1/orders' },
    missing: { consumer: { kind: 'run', name: 'europe-west1/gone' }, code: 'not-found/principal' },
    malformed: ['orders', 'europe-west1/..', 'europe-west1/orders:setIamPolicy', '../europe-west1/orders', 'a/b/c/d'],
    denied: {
      // run/docs/troubleshooting, “Default Compute Engine service account is deleted”: the same status for either permission.
      answer: googleError(
        'PERMISSION_DENIED',
        "Permission 'iam.serviceaccounts.actAs' denied on service account x (or it may not exist)."
      ),
      names: /run\.services\.get and run\.services\.update.*iam\.serviceAccounts\.actAs/
    },
    throttled: googleError('RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric'),
    restarts: () => (services.get('shop/europe-west1/orders')?.revisions.size ?? 1) - 1,
    stop: double.close
  }
}

const bodyOf = ({ etag, template, traffic, others }: RunService) => ({ ...others, etag: `"${etag}"`, template, traffic })

function patched(service: RunService, { url, json }: ProviderRequest): ProviderAnswer {
  const { etag, template } = json as { etag?: string; template: Readonly<Record<string, unknown>> }
  // google.aip.dev/154; the words are Cloud Run’s.
  if (etag !== undefined && etag !== `"${service.etag}"`)
    return googleError(
      'ABORTED',
      `Conflict for resource 'orders': version '${etag}' was specified but current version is another.`
    )
  if (url.searchParams.get('updateMask') !== 'template') return googleError('INVALID_ARGUMENT', 'update_mask')
  const name = typeof template.revision === 'string' ? template.revision : `orders-0000${service.revisions.size + 1}-xyz`
  const known = service.revisions.get(name)
  // hashicorp/terraform-provider-google#14569.
  if (known !== undefined && known !== JSON.stringify(template))
    return googleError('ALREADY_EXISTS', `Revision named '${name}' with different configuration already exists.`)
  if (JSON.stringify(template) !== JSON.stringify(service.template)) service.revisions.set(name, JSON.stringify(template))
  service.template = template
  service.etag += 1
  return { status: 200, body: { name: 'projects/shop/locations/europe-west1/operations/1', done: false } }
}
