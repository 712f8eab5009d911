import { readFile, writeFile } from 'node:fs/promises'
import { AZURE_SETTINGS } from '../functions/azure/settings.ts'
import { GCP_SETTINGS } from '../functions/gcp/settings.ts'
import { EXITS } from '../functions/local/exit-codes.ts'
import { AUDIT_SETTINGS } from '../shared/audit/function-settings.ts'
import { RETENTION } from '../shared/audit/retention.ts'
import { SIGNALS } from '../shared/audit/signals.ts'
import { SETTINGS } from '../shared/config.ts'
import { formatDuration } from '../shared/duration.ts'
import { CODES } from '../shared/errors.ts'
import type { StoreFacts } from '../shared/ports/secret-store.ts'
import type { TargetFacts } from '../shared/ports/target.ts'
import { PHASES } from '../shared/rotation/phases.ts'
import type { Setting } from '../shared/setting.ts'
import { secretsManagerClient } from '../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../shared/stores/aws-secrets-manager.ts'
import { azureKeyVault } from '../shared/stores/azure-key-vault.ts'
import { fileStore } from '../shared/stores/file.ts'
import { gcpSecretManager } from '../shared/stores/gcp-secret-manager.ts'
import { vaultKv } from '../shared/stores/vault-kv.ts'
import { awsIamAccessKey } from '../shared/targets/aws-iam-access-key.ts'
import { azureStorageKey } from '../shared/targets/azure-storage-key.ts'
import { entraClientSecret } from '../shared/targets/entra-client-secret.ts'
import { gcpApiKey } from '../shared/targets/gcp-api-key.ts'
import { gcpServiceAccountKey } from '../shared/targets/gcp-service-account-key.ts'
import { PROVIDERS } from '../shared/targets/http-providers.ts'
import { UNSUPPORTED } from '../shared/targets/http-unsupported.ts'
import { postgres } from '../shared/targets/postgres.ts'
import { VAULT_SETTINGS } from '../shared/vault/settings.ts'
import { AUDIT_SCHEMA_FILE, auditSchema } from './audit-schema.ts'
import { PAGE_ASSETS_FILE, pageAssets } from './page.ts'

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

const noToken = async (): Promise<never> => Promise.reject(new Error('nobody is asked'))

const TARGETS: readonly TargetFacts[] = [
  postgres({}).facts,
  awsIamAccessKey({ region: 'us-east-1' }).facts,
  entraClientSecret({ token: noToken }).facts,
  azureStorageKey({ token: noToken }).facts,
  gcpServiceAccountKey({ authorize: noToken }).facts,
  gcpApiKey({ authorize: noToken }).facts
]

const LAST_USED: Readonly<Record<TargetFacts['lastUsed'], string>> = {
  precise: 'told',
  coarse: 'told, coarsely',
  none: 'not told: a person acknowledges'
}

const lastUse = ({ issue, lastUsed, telemetryLagMs: ms }: Pick<TargetFacts, 'issue' | 'lastUsed' | 'telemetryLagMs'>): string =>
  issue === 'chosen' ? 'sessions are seen' : `${LAST_USED[lastUsed]}${ms > 0 ? `, up to ${formatDuration(ms)} late` : ''}`

const room = (most: number): string => (Number.isFinite(most) ? String(most) : 'any')

const targets = (): string =>
  markdownTable(
    ['`kind`', 'the value is', 'live at once', 'last use', 'disabled before it is deleted', 'a new one may be refused for'],
    TARGETS.map((f) => [
      `\`${f.kind}\``,
      f.issue === 'chosen' ? 'keyturn’s' : f.mintedOnce ? 'the provider’s, shown once' : 'the provider’s',
      room(f.maxLive),
      lastUse(f),
      yes(f.canDisable),
      f.settlesMs === 0 ? 'no time' : formatDuration(f.settlesMs)
    ])
  )

const providers = (): string =>
  markdownTable(
    ['`provider`', 'live at once', 'last use', 'disabled before it is deleted', 'from', 'read on'],
    PROVIDERS.map(({ name, facts, disable, source }) => [
      `\`${name}\``,
      room(facts.maxLive),
      lastUse({ issue: 'minted', ...facts }),
      yes(disable !== undefined),
      source.url,
      source.date
    ])
  )

const namesOf = (why: string): readonly string[] =>
  Object.entries(UNSUPPORTED).flatMap(([name, its]) => (its === why ? [`\`${name}\``] : []))

const unsupported = (): string =>
  markdownTable(
    ['not by an API', 'why, and what to do instead'],
    [...new Set(Object.values(UNSUPPORTED))].map((why) => [namesOf(why).join(', '), why])
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

const signals = (): string =>
  markdownTable(
    ['signal', 'question', 'severity', 'MITRE ATT&CK'],
    SIGNALS.map(({ name, question, severity, technique }) => [`\`${name}\``, question, severity, technique])
  )

const retention = (): string =>
  markdownTable(
    ['class', 'kept', 'what is in it'],
    RETENTION.map(({ name, class: level, days, kinds }) => [
      `${name}: ${level}`,
      days === undefined ? 'for ever' : days % 365 === 0 ? `${days / 365} y` : `${days} d`,
      name === 'failed access' ? 'whatever was denied, or tried by somebody who could not log in' : kinds.join(', ')
    ])
  )

export const SECTIONS: readonly Section[] = [
  ['signals', signals],
  ['retention', retention],
  ['audit-settings', settingsTable(AUDIT_SETTINGS)],
  ['phases', phases],
  ['stores', stores],
  ['targets', targets],
  ['providers', providers],
  ['unsupported', unsupported],
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

if (import.meta.main) {
  await writeFile('README.md', generated(await readFile('README.md', 'utf8')))
  await writeFile(AUDIT_SCHEMA_FILE, auditSchema())
  await writeFile(PAGE_ASSETS_FILE, await pageAssets())
}
