import { adminIn } from '../../shared/admin.ts'
import { KEY_KINDS } from '../../shared/kinds.ts'
import { postgres } from '../../shared/targets/postgres.ts'
import { postgresSettings } from '../../shared/targets/postgres-configured.ts'
import type { Purpose } from './compose.ts'

export const databases: Purpose = {
  othersKinds: KEY_KINDS,
  targets: ({ config, place }) => {
    const target = postgres(postgresSettings(config, { admin: adminIn(place.read) }))
    return () => target
  }
}
