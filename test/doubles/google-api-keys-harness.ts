import { type GcpApiKeySettings, gcpApiKey } from '../../shared/targets/gcp-api-key.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { type GoogleApiKeys, type Reach, startGoogleApiKeys } from './google-api-keys.ts'
import { administrator, denied, throttled } from './google-iam-errors.ts'

export interface ApiKeysHarness extends KeysHarness {
  readonly double: GoogleApiKeys
  sceneWith(reach: Reach, settings?: Partial<GcpApiKeySettings>): KeyScene
}

/** One that only a map in an app of the owner's may use. */
export const RESTRICTED: Reach = {
  restrictions: { apiTargets: [{ service: 'maps-backend.googleapis.com' }, { service: 'places.googleapis.com' }] }
}

interface Document {
  readonly type: string
  readonly projectId: string
  readonly keyId: string
  readonly apiKey: string
  readonly note: string
}

export const parsed = (document: SecretText): Document => JSON.parse(document.reveal()) as Document

const text = (document: object): SecretText => new SecretText(`${JSON.stringify(document, undefined, 2)}\n`)

export async function apiKeysHarness(): Promise<ApiKeysHarness> {
  const double = await startGoogleApiKeys()
  const defaults: GcpApiKeySettings = {
    authorize: administrator,
    endpoint: double.url,
    verifyUrl: `${double.url}/language/translate/v2/languages`,
    pausesMs: [0, 0],
    operationPausesMs: [0, 0, 0],
    minted: { pausesMs: [0, 0, 0, 0, 0] }
  }
  const sceneWith = (reach: Reach, settings: Partial<GcpApiKeySettings> = {}): KeyScene => {
    const target = gcpApiKey({ ...defaults, ...settings })
    const projectId = double.project()
    const key = double.addKey(projectId, reach)
    const document = { type: 'gcp-api-key', projectId, keyId: key.id, note: 'the owner’s', apiKey: key.value }
    const context = { secret: `projects/1/secrets/${projectId}` }
    return { target, current: target.inspect(text(document), context), context }
  }
  const projectOf = ({ current }: KeyScene): string => parsed(current.document).projectId
  return {
    double,
    sceneWith,
    scene: async () => sceneWith(RESTRICTED),
    works: async ({ principal, document }) => double.shelf.works(principal, parsed(document).apiKey),
    use: async () => {},
    wrong: (credential) => ({
      ...credential,
      document: text({ ...parsed(credential.document), apiKey: 'AIzaSy-never-was-made' })
    }),
    unreadable: unreadable(),
    person: async (scene) => double.addKey(projectOf(scene)).id,
    deleteBehind: async ({ principal }) => double.shelf.remove(principal),
    snapshot: async (scene) => {
      const of = projectOf(scene)
      return double.shelf.snapshot(of) + JSON.stringify(double.shelf.of(of).map(({ id }) => double.reachOf(id)))
    },
    hasMarks: true,
    lagCreated: (calls) => double.shelf.lagCreated(calls),
    lagRevoked: (calls) => double.shelf.lagRevoked(calls),
    calls: () => double.calls,
    setFault: (fault) => double.setFault(fault),
    createOp: 'CreateKey',
    denied: denied('apikeys.keys.create'),
    throttled,
    stop: () => double.close()
  }
}

function unreadable(): KeysHarness['unreadable'] {
  const document = { type: 'gcp-api-key', projectId: 'my-project', keyId: 'a-key', apiKey: PLANTED }
  return [
    { document: new SecretText(`{"type":"gcp-api-key","apiKey":"${PLANTED}`), names: /JSON/ },
    { document: text({ ...document, type: 'service_account' }), names: /type/ },
    { document: text({ ...document, keyId: `${PLANTED}/../keys/another` }), names: /keyId must be/ },
    { document: text({ ...document, projectId: `${PLANTED}?x=` }), names: /projectId must be/ },
    { document: text({ ...document, apiKey: `${PLANTED}\n` }), names: /apiKey must be/ },
    { document: text({ ...document, keyId: undefined, apiKey: 7, note: PLANTED }), names: /keyId.*; apiKey/ },
    { document: new SecretText(`{"type":"gcp-api-key","apiKey":"a","apiKey":"${PLANTED}"}`), names: /apiKey twice/ }
  ]
}
