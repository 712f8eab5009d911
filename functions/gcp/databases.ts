import { readCa } from '../../shared/config.ts'
import { KEY_KINDS } from '../../shared/kinds.ts'
import { postgres } from '../../shared/targets/postgres.ts'
import type { Purpose } from './compose.ts'

export const databases: Purpose = {
  othersKinds: KEY_KINDS,
  targets: ({ config, place }) => {
    const target = postgres({ ...config, ca: readCa(config), passwordPolicy: config.password, admin: place.admin })
    return () => target
  }
}
