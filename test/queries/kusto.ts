import { createRequire } from 'node:module'

/** Problems of a text: the code of Kusto's own, where, and what the text has there. Empty: it is bound to its last name. */
export interface Problem {
  readonly code: string
  readonly at: string
  readonly says: string
}

/** Reads and binds texts against tables, as the services do before they run them (Kusto.Language, as it is published for JavaScript). */
export interface Kusto {
  problems(text: string): readonly Problem[]
  /** The columns of the answer, with their types: `account:string`. */
  columns(text: string): readonly string[]
}

/** What is used of the library, which is compiled from C# and puts its names into the global object. */
interface Library {
  readonly KustoCode: {
    ParseAndAnalyze(
      text: string,
      globals: unknown
    ): {
      GetDiagnostics(): Iterableish<{ Code: string; Start: number; Length: number; Message: string; Severity: string }>
      readonly ResultType: { readonly Columns: Iterableish<{ Name: string; Type: { Name: string } }> } | null
    }
  }
  readonly GlobalState: { readonly Default: { WithDatabase(database: unknown): unknown } }
  readonly Symbols: {
    readonly TableSymbol: { From(schema: string): { WithName(name: string): unknown } }
    readonly DatabaseSymbol: { readonly $ctor1: new (name: string, tables: readonly unknown[]) => unknown }
  }
}

interface Iterableish<T> {
  readonly Count: number
  getItem(at: number): T
}

const listOf = <T>(some: Iterableish<T>): readonly T[] => Array.from({ length: some.Count }, (_, at) => some.getItem(at))

/** @param tables name → schema, `(TimeGenerated:datetime, Id:string)`. */
export function kusto(tables: Readonly<Record<string, string>>): Kusto {
  const { KustoCode, GlobalState, Symbols } = library()
  const symbols = Object.entries(tables).map(([name, schema]) => Symbols.TableSymbol.From(schema).WithName(name))
  const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1('workspace', symbols))
  const read = (text: string) => KustoCode.ParseAndAnalyze(text, globals)
  return {
    problems: (text) =>
      listOf(read(text).GetDiagnostics()).map(({ Code, Start, Length, Message }) => ({
        code: Code,
        at: text.slice(Start, Start + Length),
        says: Message
      })),
    columns: (text) =>
      listOf(read(text).ResultType?.Columns ?? { Count: 0, getItem: () => fail() }).map(
        ({ Name, Type }) => `${Name}:${Type.Name}`
      )
  }
}

const fail = (): never => {
  throw new Error('there is none')
}

function library(): Library {
  const require = createRequire(import.meta.url)
  require('@kusto/language-service-next/bridge.min.js')
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js')
  return (globalThis as unknown as { readonly Kusto: { readonly Language: Library } }).Kusto.Language
}
