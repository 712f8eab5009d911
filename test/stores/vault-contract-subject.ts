import type { Ask, VaultPlace } from './vault-harness.ts'

/** One path of its own a test, and short words for what is done with it. */
export interface Subject {
  readonly path: string
  readonly ask: Ask
  /** Writes a version and gives the status. */
  put(data: unknown, cas?: number): Promise<number>
  /** The newest version's data, or one's by its number; `404` where there is none. */
  read(version?: number): Promise<unknown>
  metadata(): Promise<Readonly<Record<string, unknown>>>
  /** What the work shows under other settings of the mount, which are undone afterwards. */
  under<T>(config: object, work: () => Promise<T>): Promise<T>
}

/** What the api-docs say; and how to see it. */
export type Sight = readonly [says: unknown, see: (s: Subject) => Promise<unknown>]

let made = 0

export function subjectOn({ owner }: VaultPlace): Subject {
  const path = `contract/${made++}`
  return {
    path,
    ask: owner,
    put: async (data, cas) =>
      (await owner('POST', `data/${path}`, { data, ...(cas !== undefined && { options: { cas } }) })).status,
    read: async (version) => {
      const { status, body } = await owner('GET', `data/${path}${version === undefined ? '' : `?version=${version}`}`)
      return status === 200 ? inside(body).data : status
    },
    metadata: async () => inside((await owner('GET', `metadata/${path}`)).body),
    under: async (config, work) => {
      await owner('POST', 'config', config)
      try {
        return await work()
      } finally {
        await owner('POST', 'config', { max_versions: 0, cas_required: false, delete_version_after: '0s' })
      }
    }
  }
}

export type Found = Readonly<Record<string, unknown>>
export const inside = (body: unknown): Found => (body as { data?: Found } | undefined)?.data ?? {}
export const errorsOf = (body: unknown): unknown => (body as { errors?: unknown } | undefined)?.errors
export const isTime = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-.*\.\d+Z$/.test(value)

/** The one version that there is, as the metadata show it. */
export const onlyVersion = async (s: Subject): Promise<Found> =>
  Object.values((await s.metadata()).versions as Readonly<Record<string, Found>>)[0] ?? {}

/** Statuses of one request after the other. */
export async function statuses(...requests: readonly (() => Promise<{ readonly status: number }>)[]): Promise<readonly number[]> {
  const found: number[] = []
  for (const request of requests) found.push((await request()).status)
  return found
}
