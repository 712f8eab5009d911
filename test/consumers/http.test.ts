import { startHook } from '../doubles/consumer-http.ts'
import { consumerSuite } from '../doubles/consumer-suite.ts'

consumerSuite('A hook over HTTP', startHook)
