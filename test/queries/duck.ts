import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

/** A python with PyPI's `sqlglot` and `duckdb-kql`: KEYTURN_QUERIES_PYTHON, else in the folder where CI installs it. */
export function findTranslators(): string | undefined {
  const python = process.env.KEYTURN_QUERIES_PYTHON ?? '.ci/servers/queries/bin/python'
  return existsSync(python) ? python : undefined
}

export interface Translation {
  readonly python: string
  readonly read: 'athena' | 'bigquery' | 'kusto'
  /** For `kusto`: table → its columns. */
  readonly columns?: Readonly<Record<string, readonly string[]>>
}

/** What a text is for DuckDB; throws with the translator's words for what is none of the language. */
export function forDuck({ python, read, columns }: Translation, text: string): string {
  const input = JSON.stringify({ read, text, columns })
  const output = execFileSync(python, ['test/queries/to_duckdb.py'], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
  const { sql, error } = JSON.parse(output) as { readonly sql?: string; readonly error?: string }
  if (sql === undefined) throw new Error(`no ${read}: ${error}`)
  return sql
}

export interface Duck {
  run(sql: string): Promise<void>
  /** As the cells of a JSON answer: numbers and texts. */
  rows(sql: string): Promise<readonly (readonly (string | number | null)[])[]>
  /** Puts rows into a table, by the names of its columns. */
  fill(table: string, rows: readonly object[]): Promise<void>
  close(): void
}

/** A DuckDB of its own, in memory, in UTC. */
export async function startDuck(): Promise<Duck> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-duck-'))
  await connection.run("SET TimeZone = 'UTC'")
  return {
    run: async (sql) => void (await connection.run(sql)),
    rows: (sql) => rowsOf(connection, sql),
    fill: async (table, rows) => {
      const file = join(folder, `${table}.ndjson`)
      writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
      const columns = (await rowsOf(connection, `DESCRIBE ${table}`)).map(([name, type]) => `${quote(String(name))}: '${type}'`)
      const source = `read_json('${file}', format = 'newline_delimited', columns = {${columns.join(', ')}})`
      await connection.run(`INSERT INTO ${table} BY NAME SELECT * FROM ${source}`)
    },
    close: () => {
      connection.closeSync()
      instance.closeSync()
      rmSync(folder, { recursive: true })
    }
  }
}

const quote = (name: string): string => `"${name}"`

async function rowsOf(connection: DuckDBConnection, sql: string) {
  const read = await connection.runAndReadAll(sql)
  return read.getRowsJson().map((row) => row.map((cell) => (typeof cell === 'number' || cell === null ? cell : String(cell))))
}
