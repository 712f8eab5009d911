import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import type { Refusal } from '../../shared/http.ts'
import { jsonIn } from '../../shared/json-in.ts'

/**
 * What App Service authentication writes into X-MS-CLIENT-PRINCIPAL, base64 of JSON (app-service/configure-authentication-
 * user-identities, "Access user claims in app code"). request.user of @azure/functions is not used: it throws where
 * X-MS-CLIENT-PRINCIPAL-ID is missing.
 */
const Principal = v.object({
  claims: v.array(v.object({ typ: v.string(), val: v.string() })),
  role_typ: v.optional(v.nullable(v.string()))
})

/**
 * Why the caller may not ask: nobody signed in (401), or nobody with the role (403). Only where App Service authentication
 * is on, because there the platform takes the header off what a client sends; where it is off anybody could write it, so
 * it is not read at all, and the function's key is what stands in front.
 */
export function refusedCaller(headers: { get(name: string): string | null }, role: string): Refusal | undefined {
  const header = headers.get('x-ms-client-principal')
  const parsed = v.safeParse(Principal, header === null ? undefined : jsonIn(Buffer.from(header, 'base64').toString('utf8')))
  if (!parsed.success) return { status: 401, error: new KeyturnError('denied/caller', 'nobody is signed in') }
  const { claims, role_typ } = parsed.output
  // `roles` in an Entra token as it is, or the name that the platform mapped it to.
  const isRole = (typ: string): boolean => typ === 'roles' || typ === role_typ
  if (claims.some(({ typ, val }) => isRole(typ) && val === role)) return undefined
  return { status: 403, error: new KeyturnError('denied/caller', `the caller does not have the role ${role}`) }
}
