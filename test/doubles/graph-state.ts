import { randomBytes, randomUUID } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'

export interface GraphApplication {
  /** The object id. */
  readonly id: string
  readonly appId: string
  readonly tenantId: string
  readonly signInAudience: string
}

/** What a test turns. */
export interface GraphControls {
  /** App management policy of the tenant: learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy. */
  policy: { readonly passwordAddition?: boolean; readonly passwordLifetimeMs?: number }
  /** What the report of last uses answers: its rows, or one of its refusals. */
  report: 'rows' | 'no rows' | 'pages' | 'odd time' | 'unlicensed' | 'not permitted'
  /** New secrets are missing in so many of the application's next reads, on the replica that is asked. */
  unlisted: number
  /** The token endpoint answers with this AADSTS code, whatever the secret. */
  refusesWith: number | undefined
  /** Every URL that was asked, whole. */
  readonly urls: string[]
}

export interface GraphState {
  readonly shelf: KeyShelf
  readonly controls: GraphControls
  readonly applications: ReadonlyMap<string, GraphApplication>
  register(signInAudience: string): GraphApplication
  addPassword(application: GraphApplication, displayName: string | undefined, endsAt: number): ShelfKey
  endsAt(keyId: string): number
  /** The secrets that a read shows. */
  shown(application: GraphApplication): readonly ShelfKey[]
}

export function graphState(now: () => number): GraphState {
  const shelf = keyShelf(now)
  const applications = new Map<string, GraphApplication>()
  const ends = new Map<string, number>()
  const hidden = new Map<string, number>()
  const controls: GraphControls = { policy: {}, report: 'rows', unlisted: 0, refusesWith: undefined, urls: [] }
  const isShown = (key: ShelfKey): boolean => {
    const left = hidden.get(key.id) ?? 0
    hidden.set(key.id, left - 1)
    return left <= 0
  }
  return {
    shelf,
    controls,
    applications,
    register(signInAudience) {
      const application = { id: randomUUID(), appId: randomUUID(), tenantId: randomUUID(), signInAudience }
      applications.set(application.id, application)
      return application
    },
    addPassword(application, displayName, endsAt) {
      // Real ones look so: 3 characters, 8Q~, 34 more; a + or & in the form's body must be escaped.
      const value = `${randomBytes(2).toString('hex')}8Q~+&${randomBytes(14).toString('hex')}`
      const key = shelf.add({ id: randomUUID(), account: application.id, value, name: displayName })
      ends.set(key.id, endsAt)
      hidden.set(key.id, controls.unlisted)
      return key
    },
    endsAt: (keyId) => ends.get(keyId) ?? 0,
    shown: (application) => shelf.of(application.id).filter(isShown)
  }
}
