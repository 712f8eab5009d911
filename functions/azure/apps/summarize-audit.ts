import { app } from '@azure/functions'
import { composeAzureAudit } from '../audit.ts'
import { auditTriggers } from '../audit-triggers.ts'
import { scheduleOf } from '../schedule.ts'

// An app of its own, as in register.ts: nothing here may fail or wait, and streaming stays off.
const { readNew, readRecords, readBlobs, summarizeOnDemand } = auditTriggers(() => composeAzureAudit(process.env))
const {
  KEYTURN_AUDIT_HUB__fullyQualifiedNamespace: namespace,
  KEYTURN_AUDIT_HUB_NAME: eventHubName,
  KEYTURN_AUDIT_HUB_GROUP: group
} = process.env

app.timer('audit', { schedule: scheduleOf(process.env), runOnStartup: false, handler: readNew })
app.storageQueue('audit-blobs', { connection: 'AzureWebJobsStorage', queueName: 'keyturn-audit-blobs', handler: readBlobs })
app.http('summarize-audit', { methods: ['POST'], authLevel: 'function', handler: summarizeOnDemand })
// The host does not index a function whose connection is missing.
if (namespace && eventHubName)
  app.eventHub('audit-records', {
    ...{ connection: 'KEYTURN_AUDIT_HUB', eventHubName, consumerGroup: group || '$Default', cardinality: 'many' },
    // A hub goes on to the next events whether these were read or not (azure-functions/functions-reliable-event-processing): they
    // are tried until they were, because there may be no other copy.
    retry: {
      strategy: 'exponentialBackoff',
      maxRetryCount: -1,
      minimumInterval: { seconds: 10 },
      maximumInterval: { minutes: 5 }
    },
    handler: readRecords
  })
