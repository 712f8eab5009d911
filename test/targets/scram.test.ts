import { writeFile } from 'node:fs/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isVerifier, scramVerifier } from '../../shared/targets/scram.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { run } from '../servers/postgres-binaries.ts'
import { holding, NOBODY_KNOWN, startWorld, VERSIONS, type World } from './postgres-world.ts'

const PRINTABLE = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at))
const AWKWARD = [
  `'"\\%;$?&{{}}`,
  '$$',
  '$1',
  '%s',
  '-- x',
  '/* x',
  ' leading',
  'trailing ',
  ' ',
  'x'.repeat(512),
  '{"json": "x"}',
  'SCRAM-SHA-257$',
  'md5',
  PRINTABLE.join('')
]
const UNICODE = [
  'pässwörd',
  'e\u0301 composed',
  '名前',
  'zero\u200bwidth',
  '\u2168 roman',
  'non\u00a0breaking',
  'soft\u00adhyphen',
  'ﬁ ligature'
]
const PROHIBITED = [
  'bell\u0007',
  'tag\u{E0001}',
  '\u0627a mixed directions',
  '\u0221 unassigned in 3.2',
  'private \uE000',
  '🔑 of a later Unicode',
  'lone \uD800'
]

describe('a verifier', () => {
  it('is the one of RFC 7677’s example', async () => {
    // Its salt, and its 4096 iterations; StoredKey and ServerKey follow from the client proof and server signature given there.
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    expect(await scramVerifier(new SecretText('pencil'), 4096, salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='
    )
  })

  it('is never the same twice, and always well-formed', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => scramVerifier(new SecretText('x'))))
    expect(new Set(made).size).toBe(20)
    expect(made.every(isVerifier)).toBe(true)
    expect(['SCRAM-SHA-256$4096:x$y:z', 'md5', '', `${made[0]} `].some(isVerifier)).toBe(false)
  })

  it.each([...PROHIBITED, '', 'nul\0', `md5${'a'.repeat(32)}`, 'SCRAM-SHA-256$x'])('is not made of %j', async (text) => {
    const e = await refusal(scramVerifier(new SecretText(text)))
    expect(e.code).toBe('invalid/password')
    if (text.length > 3) expect(e.message).not.toContain(text)
  })
})

describe.each([VERSIONS[0], VERSIONS.at(-1)].filter((v) => v !== undefined))('our verifier on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    // An old server's setting, which is of no concern to a verifier.
    w = await startWorld({ version })
    await w.sql("ALTER SYSTEM SET password_encryption TO 'md5'")
    await w.sql('SELECT pg_reload_conf()')
    await w.sql('CREATE ROLE app LOGIN')
  })
  afterAll(() => w.stop())

  const set = async (text: string, iterations?: number) =>
    void (await w.sql(`ALTER ROLE app PASSWORD '${await scramVerifier(new SecretText(text), iterations)}'`))
  const logIn = async (password: string) => (await w.connect('app', password)).end()

  it.each([...AWKWARD, ...UNICODE])('lets %j in', async (text) => {
    await set(text)
    await logIn(text)
    await expect(w.connect('app', `${text}x`)).rejects.toMatchObject({ code: '28P01' })
  })

  // What a URL makes of them is the driver's doing, whatever the server.
  const everyCharacter = version === VERSIONS.at(-1) ? PRINTABLE : ['"', "'", '\\', '%', '$']
  it('lets each of the 94 printable characters in, first and last, by a URL', async () => {
    for (const char of everyCharacter) {
      await set(`${char}a1${char}`)
      const url = new URL(`postgres://app:${encodeURIComponent(`${char}a1${char}`)}@localhost:${w.server.port}/postgres`)
      const client = new Client({ connectionString: url.href, ssl: { ca: w.server.caPem } })
      await client.connect()
      await client.end()
    }
    await set('"')
    await logIn('"')
  })

  it('is stored as it is sent', async () => {
    const verifier = await scramVerifier(new SecretText('x'))
    await w.sql(`ALTER ROLE app PASSWORD '${verifier}'`)
    expect(await w.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'")).toEqual([{ rolpassword: verifier }])
  })

  it('has as many iterations as the server asks for, where it says', async () => {
    if (version >= 16) await w.sql("ALTER ROLE keyturn_admin SET scram_iterations TO '7000'")
    const pair = await w.pair()
    const [target, current] = [w.target(), w.credential(pair)]
    const next = await target.propose(current, {}, 't', soon())
    await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
    const [row] = await w.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${pair[1]}'`)
    expect(row?.rolpassword).toMatch(version >= 16 ? /^SCRAM-SHA-256\$7000:/ : /^SCRAM-SHA-256\$4096:/)
    expect(await target.verify(next, {}, soon())).toBe('accepted')
    await w.sql('ALTER ROLE keyturn_admin RESET ALL')
  })

  it('of 600,000 iterations lets in as well', async () => {
    await set('slow', 600_000)
    const target = w.target({ admin: undefined })
    const slow = target.inspect(w.document({ username: 'app', password: 'slow' }), {})
    expect(await target.verify(slow, {}, soon())).toBe('accepted')
  })
})

const psql = await run('psql', ['--version']).then(
  () => true,
  () => false
)
if (psql)
  describe('libpq', () => {
    it('agrees with us on what a password means', async () => {
      const w = await startWorld({ version: 18 })
      const ca = `${w.server.folder}/ca.pem`
      await writeFile(ca, w.server.caPem)
      await w.sql('CREATE ROLE app LOGIN')
      for (const text of [...UNICODE, ...AWKWARD]) {
        await w.sql(`ALTER ROLE app PASSWORD '${await scramVerifier(new SecretText(text))}'`)
        const env = {
          PATH: process.env.PATH,
          PGPASSWORD: text,
          PGSSLMODE: 'verify-full',
          PGSSLROOTCERT: ca,
          PGUSER: 'app',
          PGDATABASE: 'postgres'
        }
        const { stdout } = await run('psql', ['-h', 'localhost', '-p', String(w.server.port), '-Atc', 'SELECT 1'], {
          env: { ...env, HOME: w.server.folder }
        })
        expect(stdout.trim(), JSON.stringify(text)).toBe('1')
      }
      await w.stop()
    })
  })
