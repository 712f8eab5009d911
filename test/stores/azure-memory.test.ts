import { expect, test } from 'vitest'
import { memoryOf } from '../../shared/stores/azure-memory.ts'
import { planted, token } from '../conformance/store-harness.ts'

test('A process knows the value of an attempt for an hour, to tell another one from it, and then nothing of it', () => {
  let steady = 0
  const memory = memoryOf(() => steady)
  const [early, late] = [token(), token()]
  memory.learn(early, planted('second'))
  steady += 3_600_000
  memory.learn(late, planted('second'))
  expect(memory.agrees(early, planted('another'))).toBe(false)
  memory.learn(early, planted('second'))
  steady += 3_600_001
  for (const of of [early, late]) expect(memory.agrees(of, planted('another'))).toBe(true)
})
