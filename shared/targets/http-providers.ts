import type { HttpDescription } from './http-description.ts'
import { CLOUDFLARE_ACCOUNT_TOKEN, CLOUDFLARE_USER_TOKEN } from './http-provider-cloudflare.ts'
import { DATADOG_API_KEY } from './http-provider-datadog.ts'
import { OPENAI_ADMIN_KEY, OPENAI_PROJECT_KEY } from './http-provider-openai.ts'
import { SENDGRID_API_KEY } from './http-provider-sendgrid.ts'
import { TWILIO_API_KEY } from './http-provider-twilio.ts'

/** The descriptions that keyturn brings; documents name one as their `provider`. A deployment may have more of its own. */
export const PROVIDERS: readonly HttpDescription[] = [
  OPENAI_PROJECT_KEY,
  OPENAI_ADMIN_KEY,
  DATADOG_API_KEY,
  CLOUDFLARE_USER_TOKEN,
  CLOUDFLARE_ACCOUNT_TOKEN,
  SENDGRID_API_KEY,
  TWILIO_API_KEY
]
