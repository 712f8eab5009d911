import { KeyturnError } from '../errors.ts'
import { entryOf } from '../table.ts'

/** Throws `unsupported/provider` where a document names a provider whose keys nobody can make by its API: why, and what to do instead. */
export function refuseUnsupported(provider: string): void {
  const why = entryOf(UNSUPPORTED, provider)
  if (why !== undefined) throw new KeyturnError('unsupported/provider', `${provider}: ${why}`)
}

// docs.stripe.com/keys/restricted-api-keys, docs.stripe.com/keys: made and rolled in the Dashboard. The v2 API for keys is in
// stripe-java (ApiKeyService) and not in stripe-node 23.1, and not open to accounts in general.
const STRIPE =
  'keys are made in the Dashboard; their API is not open to accounts in general. Roll the key there, which keeps the old one alive as long as you say'

// docs.github.com/rest/orgs/personal-access-tokens and docs.github.com/rest/credentials/revoke: review and revocation, no creation.
const GITHUB_PAT =
  'no API makes personal access tokens. Use a GitHub App and its installation tokens, which live an hour; a leaked token is revoked by POST /credentials/revoke'

// platform.claude.com/docs/en/manage-claude/admin-api: list, read, rename, switch off.
const ANTHROPIC =
  'its Admin API lists keys and switches them off, and makes none. Use workload identity federation where you can; else make the key in the Console and store it as a new version'

// docs.slack.dev/reference/methods/auth.revoke and docs.slack.dev/authentication/using-token-rotation.
const SLACK =
  'a token is made by installing the app (OAuth), by a person. Switch on token rotation in the app, whose SDK renews tokens of 12 hours; a leaked token is revoked by auth.revoke'

export const UNSUPPORTED: Readonly<Record<string, string>> = {
  stripe: STRIPE,
  'stripe-restricted-key': STRIPE,
  'stripe-secret-key': STRIPE,
  'github-pat': GITHUB_PAT,
  'github-classic-pat': GITHUB_PAT,
  'github-fine-grained-pat': GITHUB_PAT,
  // docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/managing-private-keys-for-github-apps
  'github-app-private-key':
    'private keys are made in the app’s settings, by a person; an app may have several, so add one there, store it as a new version, and delete the old one after the grace',
  anthropic: ANTHROPIC,
  'anthropic-api-key': ANTHROPIC,
  slack: SLACK,
  'slack-bot-token': SLACK,
  // platform.openai.com/docs/api-reference/project-api-keys: list, retrieve, delete.
  'openai-user-key':
    'no API makes keys of users. Move the workload to a service account of the project, whose keys the provider openai-project-key rotates',
  // twilio.com/docs/iam/api/authtoken: to promote the second token deletes the first.
  'twilio-auth-token':
    'an account has one primary token, and promoting the second ends the first at once for everybody. Use API keys, which the provider twilio-api-key rotates'
}
