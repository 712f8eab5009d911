import { type AuditOptions, OPTIONS } from '../audit/options.ts'
import type { AddCommand } from '../command.ts'

export const addAudit: AddCommand = (program, start) => {
  const command = program
    .command('audit')
    .description('read audit logs of Vault, AWS, Azure and Google Cloud: who read what, what is unusual, what is overdue')
    .argument('[paths...]', 'files, folders, or - for standard input; plain or gzip')
  for (const [flags, text] of OPTIONS) command.option(flags, text)
  command.action((paths: string[], options: AuditOptions) =>
    start('audit', async (i) => (await import('../audit/run.ts')).audit(i, paths, options))
  )
}
