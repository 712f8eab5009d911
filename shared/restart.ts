import { KeyturnError } from './errors.ts'
import { encodeText } from './metadata.ts'
import type { Consumer } from './ports/consumers.ts'
import { entryOf } from './table.ts'

/** How a kind is spelled after its colon: in words for a person, and what is taken. */
interface Form {
  readonly says: string
  readonly is: RegExp
}

/** AmazonECS/APIReference, CreateCluster and CreateService: letters, digits, `_` and `-`, 255 at most. */
const ECS = '[A-Za-z0-9_-]{1,255}'
/** kubernetes.io/docs/concepts/overview/working-with-objects/names: a DNS label, and a DNS subdomain. */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const SUBDOMAIN = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?'
/** cloud.google.com/resource-manager/docs/creating-managing-projects (an id, also of a domain, or a number), and run/docs/reference/rest/v2: fewer than 50. */
const PROJECT = '(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\\d{1,20}'
const REGION = '[a-z]+-[a-z]+\\d+'
const RUN = '[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?'
/** learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules: resourceGroups, and sites of Microsoft.Web. */
const GUID = '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'
const GROUP = '[\\p{L}\\p{N}_().-]{0,89}[\\p{L}\\p{N}_()-]'
const SITE = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,58}[\\p{L}\\p{N}])?'

const FORMS: Readonly<Record<string, Form>> = {
  ecs: { says: '<cluster>/<service>', is: new RegExp(`^${ECS}/${ECS}$`) },
  k8s: {
    says: '<namespace>/<deployment, statefulset or daemonset>/<name>',
    is: new RegExp(`^${LABEL}/(?:deployment|statefulset|daemonset)/${SUBDOMAIN}$`)
  },
  run: { says: '[<project>/]<region>/<service>', is: new RegExp(`^(?:(?:${PROJECT})/)?${REGION}/${RUN}$`) },
  appservice: { says: '<subscription id>/<resource group>/<site>', is: new RegExp(`^${GUID}/${GROUP}/${SITE}$`, 'u') },
  http: { says: 'an https URL without a user, a query or a fragment', is: /^https:\/\/[\x21-\x7e]+$/ }
}

/** More would make one promotion a deployment of its own. */
const MOST = 5
/** What the narrowest store keeps (shared/metadata.ts). */
const MOST_CHARACTERS = 256

/**
 * The consumers that a secret's metadata declare (`restart`), separated by spaces: `ecs:<cluster>/<service>`,
 * `k8s:<namespace>/deployment/<name>` (or statefulset, daemonset), `run:[<project>/]<region>/<service>`,
 * `appservice:<subscription id>/<resource group>/<site>` (function apps too), `http:https://…`. Throws `invalid/metadata`
 * naming the bad part; of a URL, and of what has no kind, nothing is quoted: somebody may have put a token there.
 */
export function consumersIn(text: string): readonly Consumer[] {
  const parts = text.split(/\s+/).filter((part) => part !== '')
  if (parts.length > MOST) throw wrong(`${parts.length} consumers, of ${MOST} at most`)
  return parts.map((part, index) => {
    const [, kind = '', name = ''] = /^([a-z0-9]+):(.*)$/.exec(part) ?? []
    if (entryOf(FORMS, kind) === undefined)
      throw wrong(`part ${index + 1} begins with none of ${Object.keys(FORMS).join(':, ')}:`)
    return checked({ kind, name }, `part ${index + 1}`)
  })
}

/** The text that declares them. Throws `invalid/metadata`, as consumersIn does, and where no store could keep it. */
export function declarationOf(consumers: readonly Consumer[]): string {
  const text = consumers.map(({ kind, name }) => `${kind}:${name}`).join(' ')
  if (consumersIn(text).length !== consumers.length) throw wrong('a name with a space in it')
  const { length } = encodeText(text)
  if (length > MOST_CHARACTERS) throw wrong(`${length} characters when written, of ${MOST_CHARACTERS} at most`)
  return text
}

/** What is between the slashes of a name that is spelled as its kind wants it; of `http` the URL. Throws `invalid/metadata`. */
export function partsOf(consumer: Consumer): readonly string[] {
  const { kind, name } = checked(consumer, `a consumer of the kind ${consumer.kind}`)
  return kind === 'http' ? [name] : name.split('/')
}

function checked(consumer: Consumer, which: string): Consumer {
  const { kind, name } = consumer
  const form = entryOf(FORMS, kind)
  if (form === undefined) throw wrong(`${which} is of no known kind`)
  if (form.is.test(name) && (kind !== 'http' || isPlain(name))) return consumer
  throw wrong(`${which}${kind === 'http' ? '' : ` (${kind}:${name})`} must be ${kind}: and ${form.says}`)
}

/** A password or a `?code=` has no place in metadata. */
function isPlain(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && url.username === '' && url.password === '' && !/[?#]/.test(text)
}

const wrong = (what: string): KeyturnError => new KeyturnError('invalid/metadata', `restart: ${what}`)
