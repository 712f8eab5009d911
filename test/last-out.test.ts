import { expect, test } from 'vitest'
import { lastOut, nothingToEnd } from '../shared/last-out.ts'

test('who leaves last ends it, whoever that is, and each way out counts once', async () => {
  const said: string[] = []
  const enter = lastOut(async () => void said.push('ended'))
  const [one, two] = [enter(), enter()]
  await two()
  await two()
  expect(said).toEqual([])
  await one()
  expect(said).toEqual(['ended'])
  await enter()()
  expect(said).toEqual(['ended', 'ended'])
})

test('where there is nothing to end, leaving does nothing', async () => {
  expect(await nothingToEnd()()).toBeUndefined()
})
