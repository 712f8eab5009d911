import type { AskOptions } from '../audit/ask.ts'
import type { AddCommand } from '../command.ts'

const OPTIONS: readonly (readonly [flags: string, text: string])[] = [
  ['--since <time>', 'what happened from then on: 2026-07-01, or 30d before now (default: 1d)'],
  ['--until <time>', 'and before then (default: now)'],
  ['--zone <name>', 'time zone that people work in (default: UTC)'],
  ['--hours <from-to>', 'hours of the day that people work in (default: 7-19)'],
  ['--most <number>', 'rows of an answer (default: 1000)'],
  ['--database <name>', 'athena: database of the table'],
  ['--table <name>', 'athena: table of CloudTrail, as --print-table makes it'],
  ['--accounts <ids>', 'athena: accounts, with commas between them'],
  ['--regions <names>', 'athena: regions, with commas between them'],
  ['--workgroup <name>', 'athena: workgroup, which must limit the bytes of a query'],
  ['--print-table', 'athena: print the statement that makes the table, and ask nothing'],
  ['--bucket <name>', 'athena, --print-table: the trail’s bucket'],
  ['--first-day <day>', 'athena, --print-table: the first day of the trail, 2024-01-01'],
  ['--workspace <id>', 'log-analytics: id of the workspace'],
  ['--project <id>', 'bigquery: project of the dataset'],
  ['--dataset <name>', 'bigquery: dataset that is linked to the log bucket'],
  ['--location <name>', 'bigquery: where the dataset is'],
  ['--max-bytes <number>', 'bigquery: a query that would read more is not run']
]

export const addAsk: AddCommand = (program, start) => {
  const command = program
    .command('ask')
    .description('ask the six signals and the inventory of a log where it lies, when it is too big to be read here')
    .argument('<service>', 'athena, log-analytics or bigquery')
  for (const [flags, text] of OPTIONS) command.option(flags, text)
  command.action((service: string, options: AskOptions) =>
    start('ask', async (i) => (await import('../audit/ask.ts')).ask(i, service, options))
  )
}
