import { startAppService } from '../doubles/consumer-app-service.ts'
import { consumerSuite } from '../doubles/consumer-suite.ts'

consumerSuite('A site of App Service', startAppService)
