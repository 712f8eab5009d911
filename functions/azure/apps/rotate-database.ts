import { app } from '@azure/functions'
import { rotateExpiring, rotateOnDemand, sweepDaily } from '../rotate-database.ts'
import { scheduleOf } from '../schedule.ts'

// Everything that this function app has, in a file of its own: each app has its own identity, with the rights of its functions.
// Nothing here may fail or wait. Streaming (app.setup) stays off: with it the library listens on every interface.

app.timer('sweep', { schedule: scheduleOf(process.env), runOnStartup: false, handler: sweepDaily })

app.storageQueue('near-expiry', {
  // AzureWebJobsStorage__accountName and __credential, without a connection string: the app's identity reads the queue.
  connection: 'AzureWebJobsStorage',
  queueName: 'keyturn-near-expiry',
  handler: rotateExpiring
})

app.http('rotate-database', { methods: ['POST'], authLevel: 'function', handler: rotateOnDemand })
