import { adminIn } from '../../shared/admin.ts'
import { readCa } from '../../shared/config.ts'
import { KEY_KINDS } from '../../shared/kinds.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import { awsAdmin } from './admin.ts'
import { amazonAuthorities } from './authorities.ts'
import type { Place, Purpose } from './compose.ts'

/** The admin logins that lie in the store; Secrets Manager knows where a master secret's server is. */
export const adminOf = ({ read, secretsManager }: Place): NonNullable<PostgresSettings['admin']> =>
  secretsManager ? awsAdmin(secretsManager) : adminIn(read)

export const databases: Purpose = {
  othersKinds: KEY_KINDS,
  targets: (config, place) => {
    const [ca, admin] = [readCa(config), adminOf(place)]
    const target = postgres({ ...config, ca, authorities: amazonAuthorities, passwordPolicy: config.password, admin })
    return () => target
  }
}
