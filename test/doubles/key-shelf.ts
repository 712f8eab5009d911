/** A key as a provider keeps it. */
export interface ShelfKey {
  readonly id: string
  readonly account: string
  readonly value: string
  readonly name: string | undefined
  readonly createdAt: number
  readonly isDisabled: boolean
  readonly isDeleted: boolean
  readonly lastUsedAt: number | undefined
  /** How many more calls with it are refused although it is there, or taken although it is gone or disabled. */
  readonly lag: number
}

/** What a call with a value would meet. `unknown`: no key ever had it. */
export type Standing = 'alive' | 'disabled' | 'deleted' | 'unknown'

export interface KeyShelf {
  add(key: Pick<ShelfKey, 'id' | 'account' | 'value'> & { readonly name?: string | undefined }): ShelfKey
  /** Those that are not deleted, of one account. */
  of(account: string): readonly ShelfKey[]
  /** That one of those. */
  owned(account: string, id: string): ShelfKey | undefined
  find(id: string): ShelfKey | undefined
  /** Whether a key is there with this value, and enabled: past lags, and no use of it. */
  works(id: string, value: unknown): boolean
  /** A call with this value: counts the lag down, and is a use where it succeeds. */
  call(value: string): { readonly standing: Standing; readonly key: ShelfKey | undefined }
  setDisabled(id: string, isDisabled: boolean): void
  remove(id: string): void
  used(id: string, at: number): void
  /** Keys that are created from now on are refused so many calls long. */
  lagCreated(calls: number): void
  /** Keys that are deleted or disabled from now on are taken so many calls long. */
  lagRevoked(calls: number): void
  snapshot(account: string): string
}

/** The keys of a provider, eventually consistent on create and on revoke as far as a test says. */
export function keyShelf(now: () => number): KeyShelf {
  const keys = new Map<string, ShelfKey>()
  let created = 0
  let revoked = 0
  const of = (account: string): ShelfKey[] => [...keys.values()].filter((k) => k.account === account && !k.isDeleted)
  const change = (id: string, part: Partial<ShelfKey>): void => {
    const key = keys.get(id)
    if (key) keys.set(id, { ...key, ...part })
  }
  return {
    add: ({ id, account, value, name }) => {
      const rest = { isDisabled: false, isDeleted: false, lastUsedAt: undefined, lag: created }
      const key: ShelfKey = { id, account, value, name, createdAt: now(), ...rest }
      keys.set(id, key)
      return key
    },
    of,
    owned: (account, id) => of(account).find((k) => k.id === id),
    find: (id) => keys.get(id),
    works: (id, value) => {
      const key = keys.get(id)
      return key !== undefined && key.value === value && !key.isDeleted && !key.isDisabled
    },
    call(value) {
      const key = [...keys.values()].find((k) => k.value === value)
      if (!key) return { standing: 'unknown', key }
      const gone = key.isDeleted ? 'deleted' : key.isDisabled ? 'disabled' : undefined
      change(key.id, { lag: Math.max(0, key.lag - 1) })
      // It lags: a new one is not known yet, one that is gone is taken still.
      if (key.lag > 0) return { standing: gone === undefined ? 'unknown' : 'alive', key }
      if (gone === undefined) change(key.id, { lastUsedAt: now() })
      return { standing: gone ?? 'alive', key }
    },
    setDisabled: (id, isDisabled) => change(id, { isDisabled, lag: isDisabled ? revoked : 0 }),
    remove: (id) => change(id, { isDeleted: true, lag: revoked }),
    used: (id, at) => change(id, { lastUsedAt: at }),
    lagCreated: (calls) => {
      created = calls
    },
    lagRevoked: (calls) => {
      revoked = calls
    },
    snapshot: (account) =>
      JSON.stringify([...keys.values()].filter((k) => k.account === account).map(({ lag: _, lastUsedAt: __, ...k }) => k))
  }
}
