import { adminSecret } from '../admin.ts'
import { KeyturnError } from '../errors.ts'
import { problem } from '../problem.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { SecretText } from '../types.ts'
import { refusedAs, refuseFailure, textAt } from './http-answers.ts'
import type { HttpDescription, HttpRequest } from './http-description.ts'
import { adminIn, documentIn, type HttpDocument, TYPE, takesAdmin, withKey } from './http-document.ts'
import { keysIn, useOf } from './http-keys.ts'
import { everyPage } from './http-pages.ts'
import { pathOf, valueAt } from './http-paths.ts'
import { type Scope, written } from './http-requests.ts'
import { type SendSettings, sender } from './http-send.ts'
import { calledOf } from './http-verdict.ts'
import type { KeyList, KeyProvider } from './minted-provider.ts'

export interface HttpProviderSettings extends SendSettings {
  /** What is current in the secret that a document names as its `adminsecret`, in the same store. */
  readonly admin: (reference: string, signal: AbortSignal) => Promise<SecretText>
}

/** What one description says, done. It must have been checked. */
export function httpProvider(d: HttpDescription, settings: HttpProviderSettings): KeyProvider<HttpDocument> {
  const send = sender(d, settings)
  const asked = asker(d, settings, send)
  const listed = lister(d, settings, send)
  return {
    facts: { name: d.name, kind: TYPE, ...d.facts, overlap: 'dual' },
    inspect: (text) => documentIn(text, d),
    create: async (current, mark, signal) => {
      const answer = await asked('create', d.create, current, { mark, id: current.principal }, signal)
      return keptFrom(d, current, mark, answer)
    },
    list: async (of, signal): Promise<KeyList> => listed(of, signal),
    call: async (key, signal) => {
      const message = written(d, d.verify, { config: key.config, id: key.principal, value: key.value })
      return calledOf(d, message.endpoint, await send(d.verify, message, signal))
    },
    lastUse: async (of, id, signal) => {
      if (d.lastUse) return useOf(d.name, d.lastUse.lastUsed, (await asked('lastUse', d.lastUse, of, { id }, signal)).json)
      if (!d.list.lastUsed) return useOf(d.name, undefined, undefined)
      const key = (await listed(of, signal)).keys.find((one) => one.id === id)
      return key?.lastUse ?? { state: 'cannot-tell', why: `${d.name} does not list ${id}` }
    },
    switching: switchingOf(d, asked),
    remove: async (of, id, signal) => {
      const message = written(d, d.revoke, { ...(await scopeOf(d, settings, of, signal)), id })
      const answer = await send(d.revoke, message, signal)
      if (refusedAs(d, d.revoke, answer) !== 'gone') refuseFailure(d, 'revoke', d.revoke, answer)
    },
    preflight: async (current, list) => {
      const found = await list.catch(() => undefined)
      if (found === undefined || found.keys.some(({ id }) => id === current.principal)) return []
      const why = `${d.name} does not list ${current.principal}: either it is not the key’s id, or config names another account`
      return [problem('invalid/document', why, false)]
    }
  }
}

function switchingOf({ disable, enable }: HttpDescription, asked: ReturnType<typeof asker>) {
  if (!disable || !enable) return undefined
  return {
    disable: async (of: HttpDocument, id: string, signal: AbortSignal) =>
      (await asked('disable', disable, of, { id }, signal)).date,
    enable: async (of: HttpDocument, id: string, signal: AbortSignal) => void (await asked('enable', enable, of, { id }, signal))
  }
}

function lister(d: HttpDescription, settings: HttpProviderSettings, send: ReturnType<typeof sender>) {
  const { name, list } = d
  return async (of: HttpDocument, signal: AbortSignal) => {
    const message = written(d, list, await scopeOf(d, settings, of, signal))
    const { items, last } = await everyPage(
      { name, path: message.path, items: list.items, paging: list.paging },
      async (path) => {
        const answer = await send(list, message, signal, path)
        refuseFailure(d, 'list', list, answer)
        return answer
      }
    )
    return { keys: keysIn(d, of, items), now: last.date }
  }
}

/** An administrative request with everything that it needs: the admin's secret, and what is to be read first. */
function asker(d: HttpDescription, settings: HttpProviderSettings, send: ReturnType<typeof sender>) {
  const once = async (step: string, request: HttpRequest, scope: Scope, signal: AbortSignal): Promise<ApiAnswer> => {
    const answer = await send(request, written(d, request, scope), signal)
    refuseFailure(d, step, request, answer)
    return answer
  }
  return async (
    step: string,
    request: HttpRequest,
    of: HttpDocument,
    more: Pick<Scope, 'id' | 'mark'>,
    signal: AbortSignal
  ): Promise<ApiAnswer> => {
    const scope: Scope = { ...(await scopeOf(d, settings, of, signal)), ...more }
    const { read: first } = d
    const isReadFirst = first !== undefined && JSON.stringify([request.json, request.form]).includes('{read.')
    const read = isReadFirst ? readFrom(d.name, first.values, (await once('read', first, scope, signal)).json) : undefined
    return once(step, request, { ...scope, read }, signal)
  }
}

async function scopeOf(
  d: HttpDescription,
  { admin }: HttpProviderSettings,
  { config, principal, value, adminsecret }: HttpDocument,
  signal: AbortSignal
): Promise<Scope> {
  const scope: Scope = { config, key: { id: principal, value } }
  if (!takesAdmin(d) || adminsecret === undefined) return scope
  const text = await adminSecret(adminsecret, admin(adminsecret, signal))
  return { ...scope, admin: adminIn(text, d) }
}

function readFrom(name: string, values: Readonly<Record<string, string>>, json: unknown): Readonly<Record<string, unknown>> {
  const found = Object.entries(values).map(([field, path]) => [field, valueAt(path, json) ?? undefined, path] as const)
  const missing = found.flatMap(([, value, path]) => (value === undefined && !pathOf(path)?.isOptional ? [path] : []))
  if (missing.length > 0) throw new KeyturnError('invalid/answer', `${name}: read has nothing at ${missing.join(', ')} (values)`)
  return Object.fromEntries(found)
}

/** The key is made already: whatever is wrong with the answer, somebody must be able to find it. */
function keptFrom(d: HttpDescription, current: HttpDocument, mark: string, { json }: ApiAnswer): SecretText {
  const id = textAt(d.create.id, json)
  const value = textAt(d.create.value, json)
  const lost = (why: string): KeyturnError => {
    const which = `a key may have been made${id === undefined ? '' : `, ${id},`} under the name ${mark}`
    return new KeyturnError('invalid/answer', `${d.name}: create ${why}; ${which}: look, and delete it`)
  }
  if (id === undefined) throw lost(`has nothing usable at ${d.create.id} (id)`)
  if (value === undefined) throw lost(`has nothing usable at ${d.create.value} (value)`)
  const kept = withKey(current, d, id, new SecretText(value))
  try {
    documentIn(kept, d)
  } catch (e) {
    throw lost(`gave a key that cannot be used: ${e instanceof KeyturnError ? e.message : 'it cannot be read'}`)
  }
  return kept
}
