import { type Config, readCa } from '../config.ts'
import type { PostgresSettings } from './postgres.ts'

/** What a deployment's settings say of its databases, and who reads the admin secrets. Throws `invalid/config`. */
export const postgresSettings = (
  config: Config,
  own: Required<Pick<PostgresSettings, 'admin'>> & Pick<PostgresSettings, 'authorities'>
): PostgresSettings => ({ ...config, ca: readCa(config), passwordPolicy: config.password, ...own })
