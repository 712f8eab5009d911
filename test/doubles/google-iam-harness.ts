import { type GcpServiceAccountKeySettings, gcpServiceAccountKey } from '../../shared/targets/gcp-service-account-key.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { type GoogleIam, keyFile, rsaPem, startGoogleIam } from './google-iam.ts'
import { administrator, denied, throttled } from './google-iam-errors.ts'

export interface IamHarness extends KeysHarness {
  readonly double: GoogleIam
  /** A scene of a target with other settings. */
  sceneWith(settings: Partial<GcpServiceAccountKeySettings>): KeyScene
}

const documentOf = (members: Readonly<Record<string, string>>): SecretText =>
  new SecretText(`${JSON.stringify({ ...members, note: 'the owner’s' }, undefined, 4)}\n`)

export async function iamHarness(): Promise<IamHarness> {
  const double = await startGoogleIam()
  const defaults: GcpServiceAccountKeySettings = {
    authorize: administrator,
    endpoints: { iam: double.url, token: double.url, policyAnalyzer: double.url },
    pausesMs: [0, 0],
    minted: { pausesMs: [0, 0, 0, 0, 0] }
  }
  const sceneWith = (settings: Partial<GcpServiceAccountKeySettings>): KeyScene => {
    const target = gcpServiceAccountKey({ ...defaults, ...settings })
    const email = double.account()
    const key = double.addKey(email)
    const context = { secret: `projects/1/secrets/${email.split('@')[0]}` }
    return { target, current: target.inspect(documentOf(keyFile(email, key.id, key.value)), context), context }
  }
  return {
    double,
    sceneWith,
    scene: async () => sceneWith({}),
    works: async ({ principal, document }) => {
      const { private_key } = JSON.parse(document.reveal()) as { private_key: string }
      return double.shelf.works(principal, private_key)
    },
    use: async ({ principal }, agoMs) => double.shelf.used(principal, double.now() - agoMs),
    wrong: (credential) => {
      const document = JSON.parse(credential.document.reveal()) as Record<string, string>
      return { ...credential, document: new SecretText(JSON.stringify({ ...document, private_key: wrongPem() })) }
    },
    unreadable: unreadable(),
    person: async (scene) => double.addKey(accountOf(scene)).id,
    deleteBehind: async ({ principal }) => double.shelf.remove(principal),
    snapshot: async (scene) => double.shelf.snapshot(accountOf(scene)),
    hasMarks: false,
    lagCreated: (calls) => double.shelf.lagCreated(calls),
    lagRevoked: (calls) => double.shelf.lagRevoked(calls),
    calls: () => double.calls,
    setFault: (fault) => double.setFault(fault),
    createOp: 'CreateServiceAccountKey',
    denied: denied('iam.serviceAccountKeys.create'),
    throttled,
    stop: () => double.close()
  }
}

const accountOf = ({ current }: KeyScene): string =>
  (JSON.parse(current.document.reveal()) as { client_email: string }).client_email

let wrong: string | undefined
const wrongPem = (): string => {
  wrong ??= rsaPem()
  return wrong
}

function unreadable(): KeysHarness['unreadable'] {
  const file = { ...keyFile('robot@my-project.iam.gserviceaccount.com', 'a'.repeat(40), wrongPem()), note: PLANTED }
  const with_ = (members: Readonly<Record<string, unknown>>) => new SecretText(JSON.stringify({ ...file, ...members }))
  return [
    { document: new SecretText(`{"type":"service_account","private_key":"${PLANTED}`), names: /JSON/ },
    { document: with_({ type: PLANTED }), names: /type/ },
    { document: with_({ type: undefined }), names: /type is missing/ },
    { document: with_({ private_key: PLANTED }), names: /private_key must be an RSA key/ },
    { document: with_({ private_key_id: `${PLANTED}/../x` }), names: /private_key_id/ },
    { document: with_({ client_email: PLANTED }), names: /client_email/ },
    { document: with_({ project_id: undefined, client_email: 7 }), names: /project_id.*; client_email/ },
    { document: with_({ universe_domain: `${PLANTED}.example` }), names: /universe_domain/ },
    {
      document: new SecretText(`{"type":"service_account","private_key":"a","private_key":"${PLANTED}"}`),
      names: /private_key twice/
    }
  ]
}
