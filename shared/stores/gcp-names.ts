import { KeyturnError } from '../errors.ts'
import type { SecretId, VersionId } from '../types.ts'

/** Where a secret is. `global` has no location (resources.proto, Secret: the two patterns). */
export interface Place {
  /** `projects/<id or number>`, or `projects/<…>/locations/<location>`. */
  readonly parent: string
  readonly name: string
  readonly location: string | undefined
  /** `<parent>/secrets/<name>` */
  readonly resource: string
}

/** Where bare names are. */
export interface Home {
  /** Id or number of the project. */
  readonly project: string
  /** For regional secrets. */
  readonly location?: string | undefined
}

/** service.proto, CreateSecretRequest.secret_id. */
const MAX_NAME = 255
const SUFFIX = '-pending'

const ID = /^projects\/([A-Za-z0-9][A-Za-z0-9.:-]*)(?:\/locations\/([a-z0-9-]+))?\/secrets\/([^/]+)$/

/**
 * The place that an id names: a bare name in the project of one's own, or a resource name, with the id or the number of
 * any project (events name it by number). Throws `invalid/name`.
 */
export function placeOf(id: SecretId, home: Home): Place {
  const [, project = home.project, location, named] = ID.exec(id) ?? []
  const name = named ?? id
  if (!/^[A-Za-z0-9_-]+$/.test(name) || name.length > MAX_NAME)
    throw new KeyturnError(
      'invalid/name',
      `a secret is a name of 1 to ${MAX_NAME} letters, digits, "-" and "_", or projects/<project>/secrets/<name>`
    )
  return place(project, named === undefined ? home.location : location, name)
}

const place = (project: string, location: string | undefined, name: string): Place => {
  const parent = `projects/${project}${location === undefined ? '' : `/locations/${location}`}`
  return { parent, name, location, resource: `${parent}/secrets/${name}` }
}

export const homeOf = ({ project, location }: Home): string => place(project, location, '-').parent

/**
 * The place as the service names it: with the project's number. Throws `invalid/name` for a secret that is to be rotated
 * and whose name leaves no room for its sibling's.
 */
export function rotatedPlaceOf(resource: string, home: Home): Place {
  const found = placeOf(resource, home)
  const most = MAX_NAME - SUFFIX.length
  if (found.name.length > most)
    throw new KeyturnError(
      'invalid/name',
      `${found.name} has ${found.name.length} characters: a secret that is rotated has ${most} at most, so that ` +
        `<name>${SUFFIX} has ${MAX_NAME}`
    )
  return found
}

/**
 * Where the pending value is: in a secret beside it. A version of the secret itself would be `latest` at once, and
 * "add, then disable" has a moment in which it is (service.proto: latest is the most recently created, whatever its state).
 */
export const siblingOf = ({ resource }: Place): string => resource + SUFFIX
export const siblingNameOf = ({ name }: Place): string => name + SUFFIX

/** What keyturn calls a version of the sibling, so that it is not taken for one of the secret itself. */
const PENDING = 'pending-'
export const pendingVersion = (number: number): VersionId => `${PENDING}${number}`
export const mainVersion = (number: number): VersionId => String(number)

/** A version's number and where it is. Undefined: no version of Secret Manager's has such an id. */
export function numberIn(version: VersionId): { readonly number: number; readonly pending: boolean } | undefined {
  const pending = version.startsWith(PENDING)
  const text = pending ? version.slice(PENDING.length) : version
  return /^[1-9]\d{0,14}$/.test(text) ? { number: Number(text), pending } : undefined
}
