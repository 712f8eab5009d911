import { holdTrail } from './athena-held.ts'
import { equalSuite } from './equal-suite.ts'
import { type TrailRecord, trail } from './trail.ts'

equalSuite('Athena', trail, ({ records }, duck, python) => holdTrail(records as readonly TrailRecord[], duck, python))
