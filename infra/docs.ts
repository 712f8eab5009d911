import { readFile, writeFile } from 'node:fs/promises'
import { AZURE_SETTINGS } from '../functions/azure/settings.ts'
import { GCP_SETTINGS } from '../functions/gcp/settings.ts'
import { EXITS } from '../functions/local/exit-codes.ts'
import { SETTINGS } from '../shared/config.ts'
import { formatDuration } from '../shared/duration.ts'
import { CODES } from '../shared/errors.ts'
import type { StoreFacts } from '../shared/ports/secret-store.ts'
import { PHASES } from '../shared/rotation/phases.ts'
import type { Setting } from '../shared/setting.ts'
import { secretsManagerClient } from '../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../shared/stores/aws-secrets-manager.ts'
import { azureKeyVault } from '../shared/stores/azure-key-vault.ts'
import { fileStore } from '../shared/stores/file.ts'
import { gcpSecretManager } from '../shared/stores/gcp-secret-manager.ts'
import { vaultKv } from '../shared/stores/vault-kv.ts'
import { VAULT_SETTINGS } from '../shared/vault/settings.ts'

/** A part of the README that repeats the code: written from it, between `<!-- name -->` and `<!-- /name -->`. */
export type Section = readonly [name: string, text: () => string]

const cell = (text: string): string => text.replaceAll('|', '\\|')

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const phases = (): string =>
  markdownTable(
    ['phase', 'readers hold', 'target takes', 'step', 'killed in it'],
    PHASES.map((r) => [`\`${r.phase}\``, r.readers, r.target, r.does, r.dying])
  )

const codes = (): string =>
  markdownTable(
    ['code', 'try again?', 'what to do'],
    Object.entries(CODES).map(([code, [retryable, todo]]) => [`\`${code}\``, retryable ? 'yes' : 'no', todo])
  )

const STORES: readonly StoreFacts[] = [
  fileStore({ folder: '.' }).facts,
  awsSecretsManager({ client: secretsManagerClient({ region: 'us-east-1' }) }).facts,
  azureKeyVault({
    vaultUrl: 'https://example.vault.azure.net',
    credential: { getToken: async () => null },
    journal: { containerUrl: 'https://example.blob.core.windows.net/keyturn' }
  }).facts,
  gcpSecretManager({ project: 'example', authorize: async () => new Headers() }).facts,
  vaultKv({ client: { call: async () => Promise.reject(new Error('nobody is asked')), end: async () => {} } }).facts
]

const yes = (value: boolean): string => (value ? 'yes' : 'no')

const stores = (): string =>
  markdownTable(
    [
      'store',
      'promotion is a compare-and-set',
      'a late promotion can be fenced',
      'readers may see the version before for',
      'metadata compare-and-set',
      'longest value',
      'what it cannot do'
    ],
    STORES.map((f) => [
      f.name,
      yes(f.compareAndSet),
      yes(f.fence),
      f.convergenceMs === 0 ? 'no time' : formatDuration(f.convergenceMs),
      yes(f.metadataCompareAndSet),
      `${(f.maxValueBytes / 1024).toFixed(0)} KiB`,
      f.cannot
    ])
  )

const exits = (): string =>
  markdownTable(
    ['exit code', 'meaning'],
    EXITS.map(([code, meaning]) => [String(code), meaning])
  )

const settingsTable = (all: readonly Setting[]) => (): string =>
  markdownTable(
    ['variable', 'default', 'what it sets'],
    all.map(({ name, fallback, says }) => [`\`${name}\``, fallback, says])
  )

export const SECTIONS: readonly Section[] = [
  ['phases', phases],
  ['stores', stores],
  ['exits', exits],
  ['settings', settingsTable(SETTINGS)],
  ['azure-settings', settingsTable(AZURE_SETTINGS)],
  ['gcp-settings', settingsTable(GCP_SETTINGS)],
  ['vault-settings', settingsTable(VAULT_SETTINGS)],
  ['codes', codes]
]

/** The text with every section written anew. Throws when a marker is missing: a table must not vanish unseen. */
export function generated(text: string, sections: readonly Section[] = SECTIONS): string {
  return sections.reduce((before, [name, write]) => {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
    const [from, to] = [before.indexOf(open), before.indexOf(close)]
    if (from < 0 || to < from) throw new Error(`README.md has no section ${open} … ${close}`)
    return `${before.slice(0, from + open.length)}\n${write()}\n${before.slice(to)}`
  }, text)
}

if (import.meta.main) await writeFile('README.md', generated(await readFile('README.md', 'utf8')))
