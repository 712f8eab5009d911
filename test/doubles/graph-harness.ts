import { randomUUID } from 'node:crypto'
import { type EntraSettings, entraClientSecret } from '../../shared/targets/entra-client-secret.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { ADMIN_TOKEN, GRAPH_OPS, type GraphDouble, startGraph } from './graph.ts'
import { refused } from './graph-applications.ts'
import { changed, documentsOf, fieldsOf } from './key-documents.ts'

export interface GraphHarness extends KeysHarness {
  readonly graph: GraphDouble
  scene(more?: Partial<EntraSettings>, fields?: Readonly<Record<string, unknown>>): Promise<KeyScene>
}

const YEAR_MS = 365 * 24 * 3_600_000

/** The keys' harness on the double of Graph. */
export async function startGraphHarness(signInAudience = 'AzureADMyOrg'): Promise<GraphHarness> {
  const graph = await startGraph()
  const { shelf } = graph.state
  const settings: EntraSettings = {
    graph: graph.url,
    login: graph.url,
    token: async () => new SecretText(ADMIN_TOKEN),
    pausesMs: [0],
    minted: { pausesMs: [0, 0, 0, 0, 0] }
  }
  return {
    graph,
    scene: async (more = {}, fields = {}) => {
      const target = entraClientSecret({ ...settings, ...more })
      const application = graph.state.register(signInAudience)
      const key = graph.state.addPassword(application, 'made by hand', graph.now() + YEAR_MS)
      const document = documentOf({
        tenantId: application.tenantId,
        appObjectId: application.id,
        clientId: application.appId,
        keyId: key.id,
        clientSecret: key.value,
        note: 'of the owner',
        ...fields
      })
      const context = { secret: `secret-of-${application.id}` }
      return { target, current: target.inspect(document, context), context }
    },
    works: async ({ document }) => {
      const { keyId = '', clientSecret } = fieldsOf(document)
      return shelf.works(keyId, clientSecret) && graph.state.endsAt(keyId) > graph.now()
    },
    use: async ({ principal }, agoMs) => shelf.used(principal, graph.now() - agoMs),
    wrong: (credential) => ({ ...credential, document: changed(credential.document, { clientSecret: 'never-made' }) }),
    unreadable: UNREADABLE,
    person: async ({ current }) => {
      const application = graph.state.applications.get(fieldsOf(current.document).appObjectId ?? '')
      if (!application) throw new Error('no application')
      return graph.state.addPassword(application, 'a person’s', graph.now() + YEAR_MS).id
    },
    deleteBehind: async ({ principal }) => shelf.remove(principal),
    snapshot: async ({ current }) => shelf.snapshot(fieldsOf(current.document).appObjectId ?? ''),
    hasMarks: true,
    lagCreated: shelf.lagCreated,
    lagRevoked: shelf.lagRevoked,
    calls: () => graph.calls,
    setFault: graph.setFault,
    createOp: GRAPH_OPS.create,
    denied: refused(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'),
    // learn.microsoft.com/graph/throttling
    throttled: { ...refused(429, 'TooManyRequests', 'Too many requests'), headers: { 'Retry-After': '1' } },
    stop: graph.close
  }
}

export const documentOf = documentsOf('entra-client-secret')

const WHOLE = {
  tenantId: 'contoso.example',
  appObjectId: randomUUID(),
  clientId: randomUUID(),
  keyId: randomUUID(),
  clientSecret: PLANTED
}

const UNREADABLE = [
  { document: new SecretText(`{"clientSecret":"${PLANTED}"`), names: /JSON/ },
  { document: documentOf({ ...WHOLE, type: 'aws-iam-access-key' }), names: /type/ },
  { document: documentOf({ ...WHOLE, keyId: 'no-guid' }), names: /keyId/ },
  { document: documentOf({ ...WHOLE, tenantId: `../${PLANTED}` }), names: /tenantId/ },
  { document: documentOf({ ...WHOLE, appObjectId: 7, clientId: PLANTED }), names: /appObjectId.*clientId/ },
  { document: documentOf({ ...WHOLE, clientSecret: '', note: PLANTED }), names: /clientSecret/ },
  { document: documentOf({ ...WHOLE, lifetimeDays: PLANTED }), names: /lifetimeDays/ },
  { document: new SecretText(`{"type":"entra-client-secret","keyId":"${PLANTED}","keyId":"b"}`), names: /keyId twice/ }
]
