import { startCloudRun } from '../doubles/consumer-cloud-run.ts'
import { consumerSuite } from '../doubles/consumer-suite.ts'

consumerSuite('A service of Cloud Run', startCloudRun)
