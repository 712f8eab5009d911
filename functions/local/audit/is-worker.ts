import { isMainThread, workerData } from 'node:worker_threads'

/** What a worker's entry is asked by: in the bundle it is the command line's own file, which then reads its part of a log. */
export const KIND = 'keyturn-audit'

export const isAuditWorker = (): boolean => !isMainThread && (workerData as { readonly kind?: unknown } | null)?.kind === KIND
