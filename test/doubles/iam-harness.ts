import { randomUUID } from 'node:crypto'
import { type AwsIamSettings, awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { ADMIN, type IamDouble, startIam } from './iam.ts'
import { iamError } from './iam-answers.ts'
import { changed, documentsOf, fieldsOf } from './key-documents.ts'
import type { ShelfKey } from './key-shelf.ts'

export interface IamHarness extends KeysHarness {
  readonly iam: IamDouble
  scene(more?: Partial<AwsIamSettings>, fields?: (key: ShelfKey) => Readonly<Record<string, unknown>>): Promise<KeyScene>
}

/** No pauses, and the region that the double is signed for. */
export const settingsOf = (url: string, credentials: { accessKeyId: string; secretAccessKey: string }): AwsIamSettings => ({
  region: 'eu-west-1',
  iamEndpoint: url,
  stsEndpoint: url,
  credentials,
  pausesMs: [0],
  minted: { pausesMs: [0, 0, 0, 0, 0] }
})

/** The keys' harness on the double of IAM and STS. */
export async function startIamHarness(): Promise<IamHarness> {
  const iam = await startIam()
  const { shelf } = iam
  return {
    iam,
    scene: async (more = {}, fields = () => ({})) => {
      const target = awsIamAccessKey({ ...settingsOf(iam.url, ADMIN), ...more })
      const userName = `app-${randomUUID()}`
      iam.addUser(userName)
      const key = iam.addKey(userName)
      return sceneOf(target, { userName, accessKeyId: key.id, secretAccessKey: key.value, ...fields(key) })
    },
    works: async ({ document }) => {
      const { accessKeyId = '', secretAccessKey } = fieldsOf(document)
      return shelf.works(accessKeyId, secretAccessKey)
    },
    use: async ({ principal }, agoMs) => shelf.used(principal, iam.now() - agoMs),
    wrong,
    unreadable: UNREADABLE,
    person: async ({ current }) => iam.addKey(fieldsOf(current.document).userName ?? '').id,
    deleteBehind: async ({ principal }) => shelf.remove(principal),
    snapshot: async ({ current }) => shelf.snapshot(fieldsOf(current.document).userName ?? ''),
    lagCreated: shelf.lagCreated,
    lagRevoked: shelf.lagRevoked,
    calls: () => iam.calls,
    setFault: iam.setFault,
    ...COMMON,
    stop: iam.close
  }
}

/** What AWS answers, and what keyturn's documents look like, wherever the keys are. */
export const COMMON = {
  hasMarks: false,
  createOp: 'CreateAccessKey',
  denied: iamError(403, 'AccessDenied', 'User: … is not authorized to perform: iam:CreateAccessKey on resource: user app'),
  throttled: iamError(400, 'Throttling', 'Rate exceeded')
}

export function sceneOf(target: KeyScene['target'], fields: Readonly<Record<string, unknown>>): KeyScene {
  const document = documentOf({ ...fields, note: 'of the owner' })
  const context = { secret: `secret-of-${String(fields.userName)}` }
  return { target, current: target.inspect(document, context), context }
}

export const wrong: KeysHarness['wrong'] = (credential) => ({
  ...credential,
  document: changed(credential.document, { secretAccessKey: 'never-made' })
})

export const documentOf = documentsOf('aws-iam-access-key')

const WHOLE = { userName: 'app', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: PLANTED }
const MAIL = { smtpRegion: 'eu-west-1', smtpUsername: WHOLE.accessKeyId, smtpPassword: PLANTED }

export const UNREADABLE = [
  { document: new SecretText(`{"secretAccessKey":"${PLANTED}"`), names: /JSON/ },
  { document: documentOf({ ...WHOLE, type: 'entra-client-secret' }), names: /type/ },
  { document: documentOf({ ...WHOLE, userName: `path/${PLANTED}` }), names: /userName/ },
  { document: documentOf({ ...WHOLE, accessKeyId: 'ASIAIOSFODNN7EXAMPLE', userName: 7 }), names: /accessKeyId.*userName/ },
  { document: documentOf({ ...WHOLE, secretAccessKey: `${PLANTED}\n` }), names: /secretAccessKey/ },
  { document: documentOf({ ...WHOLE, ...MAIL, smtpRegion: PLANTED }), names: /smtpRegion/ },
  { document: documentOf({ ...WHOLE, ...MAIL, smtpUsername: 'AKIAANOTHEREXAMPLE01' }), names: /smtpUsername/ },
  { document: documentOf({ ...WHOLE, ...MAIL, smtpPassword: '' }), names: /smtpPassword/ },
  { document: documentOf({ ...WHOLE, smtpRegion: 'eu-west-1', note: PLANTED }), names: /no smtpUsername and no smtpPassword/ },
  { document: documentOf({ ...WHOLE, ...MAIL, smtpRegion: undefined }), names: /no smtpRegion/ },
  {
    document: new SecretText(`{"type":"aws-iam-access-key","accessKeyId":"${PLANTED}","accessKeyId":"b"}`),
    names: /accessKeyId twice/
  }
]
