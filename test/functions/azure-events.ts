import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const EVENTS_FOLDER = resolve(import.meta.dirname, '../../events/azure')

/** In the folder itself, of the functions that rotate, or in one below it. */
export const eventNames = (of = ''): readonly string[] =>
  globSync(join(of, '*.json'), { cwd: EVENTS_FOLDER }).map((file) => file.replace(/\.json$/, ''))

/** An event as the platform sends it. */
export const eventOf = (name: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(join(EVENTS_FOLDER, `${name}.json`), 'utf8')) as Record<string, unknown>

export interface About {
  readonly id: string
  readonly secret: string
  readonly version: string
  /** The vault's origin. */
  readonly vault: string
  readonly at: Date
}

/** An event of Key Vault's with this test's own secret in place of the example's, whatever the event calls its fields. */
export function vaultEventOf(name: string, own: Partial<About>): Readonly<Record<string, unknown>> {
  const { data, ...envelope } = eventOf(name) as { readonly data: Readonly<Record<string, unknown>> }
  const { id, secret = 'db-app', version = 'ee059b2bb5bc48398a53b168c6cdcb10', vault, at } = own
  const url = vault && `${vault}/secrets/${secret}/${version}`
  const time = at?.toISOString()
  return {
    ...replaced(envelope, { id, subject: own.secret, eventtime: time, time }),
    data: replaced(data, { id: url, objectname: own.secret, version: own.version })
  }
}

/** A base64 header as App Service writes it. */
export const principalOf = (principal: object): string => Buffer.from(JSON.stringify(principal)).toString('base64')

/** Values under the names that they have, blanks and case as they are. */
function replaced(
  given: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, string | undefined>>
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const other = own[key.trim().toLowerCase()]
      return [key, other === undefined ? value : String(value).startsWith(' ') ? ` ${other}` : other]
    })
  )
}
