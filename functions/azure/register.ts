import { app } from '@azure/functions'
import type { Azure } from './compose.ts'
import { rotation } from './rotation.ts'
import { scheduleOf } from './schedule.ts'

/**
 * Everything that one function app has. Nothing here may fail or wait. Streaming (app.setup) stays off: with it the library
 * listens on every interface.
 */
export function register(name: string, composing: () => Promise<Azure>): void {
  const { sweepDaily, rotateExpiring, rotateOnDemand } = rotation(composing)
  app.timer('sweep', { schedule: scheduleOf(process.env), runOnStartup: false, handler: sweepDaily })
  app.storageQueue('near-expiry', {
    // AzureWebJobsStorage__accountName and __credential, without a connection string: the app's identity reads the queue.
    connection: 'AzureWebJobsStorage',
    queueName: 'keyturn-near-expiry',
    handler: rotateExpiring
  })
  app.http(name, { methods: ['POST'], authLevel: 'function', handler: rotateOnDemand })
}
