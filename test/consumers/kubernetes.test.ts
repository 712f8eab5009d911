import { startKubernetes } from '../doubles/consumer-kubernetes.ts'
import { consumerSuite } from '../doubles/consumer-suite.ts'

consumerSuite('A workload of Kubernetes', startKubernetes)
