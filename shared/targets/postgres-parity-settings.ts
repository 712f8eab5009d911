import type { Setting } from './postgres-catalog.ts'
import { actingRoles, actsAs, type Change, type Context, type Difference } from './postgres-parity.ts'
import { identifier, literal, settingName, settingValue } from './postgres-sql.ts'

/** ALTER ROLE … SET, for every database: exactly the same on both; only `role` follows a rule of its own. */
export function differInSettings(context: Context): Difference {
  const { roles, from, to } = context
  const of = (name: string): Setting[] => roles.settings.filter((setting) => setting.role === name && setting.name !== 'role')
  const changes: Change[] = roleSetting(context)
  for (const wanted of of(from.name)) {
    const found = of(to.name).find((setting) => isSame(setting, wanted))
    if (found?.value === wanted.value) continue
    const value = settingValue(wanted.name, wanted.value)
    changes.push(change(context, wanted, `SET ${settingName(wanted.name)} TO ${value}`))
  }
  for (const extra of of(to.name)) {
    if (!of(from.name).some((setting) => isSame(setting, extra)))
      changes.push(change(context, extra, `RESET ${settingName(extra.name)}`))
  }
  return { changes, refusals: [] }
}

const isSame = (a: Setting, b: Setting): boolean => a.name === b.name && a.database === b.database

function change({ roles, to }: Context, { name, database, maySet }: Setting, what: string): Change {
  const where = database === null ? '' : ` IN DATABASE ${identifier(database)}`
  return {
    sql: `ALTER ROLE ${identifier(to.name)}${where} ${what}`,
    why: `${to.name} differs in its setting ${name}`,
    needs: maySet
      ? undefined
      : `GRANT SET ON PARAMETER ${settingName(name)} TO ${identifier(roles.me.name)} (15 and later), by a superuser`
  }
}

function roleSetting({ roles, from, to, halves }: Context): Change[] {
  const wanted = actingRoles(roles, { from: from.name, to: to.name }, halves).to
  if (actsAs(roles, to.name) === wanted) return []
  const role = identifier(to.name)
  const inDatabase = roles.settings.some((s) => s.role === to.name && s.name === 'role' && s.database === roles.database)
  const why = `${to.name} acts as another role than its twin`
  const local = inDatabase ? [{ sql: `ALTER ROLE ${role} IN DATABASE ${identifier(roles.database)} RESET role`, why }] : []
  const general = wanted === to.name ? 'RESET role' : `SET role TO ${literal(wanted)}`
  return [...local, { sql: `ALTER ROLE ${role} ${general}`, why }]
}
