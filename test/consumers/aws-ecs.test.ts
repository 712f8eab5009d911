import { startEcs } from '../doubles/consumer-ecs.ts'
import { consumerSuite } from '../doubles/consumer-suite.ts'

consumerSuite('A service of Amazon ECS', startEcs)
