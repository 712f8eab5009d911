import { asKeyturnError } from '../errors.ts'
import type { Session, Usage } from './target.ts'

/** A failure says nothing of the use. */
export function cannotTell(e: unknown): Extract<Usage, { readonly state: 'cannot-tell' }> {
  const { code, message } = asKeyturnError(e)
  return { state: 'cannot-tell', why: `${code}: ${message}` }
}

/** Sessions in words. */
export const sessionsText = (sessions: readonly Session[]): string =>
  sessions.map(({ address, application, count }) => `${count} from ${address} (${application || 'unnamed'})`).join(', ')

/** Where a key was last used, in words; empty where the provider does not tell. */
export const whereText = ({ service, region }: Extract<Usage, { readonly state: 'last-used' }>): string => {
  const where = [service, region].filter((part) => part !== undefined).join(', ')
  return where === '' ? '' : ` (${where})`
}
