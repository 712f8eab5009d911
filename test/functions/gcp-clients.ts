import type { GcpCloud, Login, Owned } from './gcp-cloud.ts'

/** Applications that read `latest` and log in, again and again, until they are told to stop. */
export interface Clients {
  /** How often each has logged in, at the least. */
  least(): number
  /** The logins that were used. */
  readonly principals: ReadonlySet<string>
  /** Ends them, and gives everything that went wrong. */
  stop(): Promise<readonly string[]>
}

export function startClients(cloud: GcpCloud, secret: Owned, count = 3): Clients {
  const principals = new Set<string>()
  const errors: string[] = []
  const logins = Array.from({ length: count }, () => 0)
  let isOver = false
  const once = async (who: number): Promise<void> => {
    try {
      const login: Login = await cloud.read(secret)
      const said = await cloud.login(login)
      if (said !== 'in') errors.push(`${login.username}: ${said}`)
      principals.add(login.username)
    } catch (e) {
      errors.push(e instanceof Error ? e.name : typeof e)
    }
    logins[who] = (logins[who] ?? 0) + 1
  }
  const running = logins.map(async (_, who) => {
    while (!isOver) await once(who)
  })
  return {
    principals,
    least: () => Math.min(...logins),
    stop: async () => {
      isOver = true
      await Promise.all(running)
      return errors
    }
  }
}
