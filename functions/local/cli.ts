#!/usr/bin/env node
import { isAuditWorker } from './audit/is-worker.ts'
import { runCli } from './program.ts'
import { processTerminal } from './terminal.ts'

if (isAuditWorker()) await import('./audit/worker.ts')
else process.exitCode = await runCli(process.argv.slice(2), process.env, processTerminal())
