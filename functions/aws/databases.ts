import { adminIn } from '../../shared/admin.ts'
import { KEY_KINDS } from '../../shared/kinds.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import { postgresSettings } from '../../shared/targets/postgres-configured.ts'
import { awsAdmin } from './admin.ts'
import { amazonAuthorities } from './authorities.ts'
import type { Place, Purpose } from './compose.ts'

/** The admin logins that lie in the store; Secrets Manager knows where a master secret's server is. */
export const adminOf = ({ read, secretsManager }: Place): NonNullable<PostgresSettings['admin']> =>
  secretsManager ? awsAdmin(secretsManager) : adminIn(read)

export const databases: Purpose = {
  othersKinds: KEY_KINDS,
  targets: (config, place) => {
    const target = postgres(postgresSettings(config, { admin: adminOf(place), authorities: amazonAuthorities }))
    return () => target
  }
}
