import { randomBytes } from 'node:crypto'

/** What reports of one run are called: day, time, and what tells runs of the same second apart. */
export function reportName(at: number): string {
  const [day = '', time = ''] = new Date(at).toISOString().split(/[T.]/)
  return `${day}/${time.replaceAll(':', '')}Z-${randomBytes(4).toString('hex')}`
}

export const LATEST = 'latest.html'
export const ENDINGS = { page: '.html', json: '.json.gz', ocsf: '.ocsf.ndjson' } as const

const REPORT = /^(?:latest\.html|\d{4}-\d\d-\d\d\/\d{6}Z-[0-9a-f]{8}\.(?:html|json\.gz|ocsf\.ndjson))$/

/** Whether an object below a prefix of reports is one: a bucket may hold logs and reports, and tell of both. */
export const isReport = (prefix: string, name: string): boolean =>
  name.startsWith(prefix) && REPORT.test(name.slice(prefix.length))
