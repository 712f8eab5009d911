import { describe, expect, it } from 'vitest'
import { consumers } from '../../shared/consumers/consumers.ts'
import type { Consumer } from '../../shared/ports/consumers.ts'
import { failure, NEWS, soon } from '../doubles/consumer-suite.ts'

describe('a host', () => {
  it('restarts each kind in its own way, with the news and the time that is left', async () => {
    const asked: unknown[] = []
    const table = {
      http: async (...given: unknown[]) => void asked.push(['http', ...given]),
      ecs: async (...given: unknown[]) => void asked.push(['ecs', ...given])
    }
    const consumer: Consumer = { kind: 'ecs', name: 'orders/web' }
    const signal = soon()
    await consumers(table).restart(consumer, NEWS, signal)
    expect(asked).toEqual([['ecs', consumer, NEWS, signal]])
  })

  it.each([
    ['ecs', /the functions on AWS/],
    ['run', /the functions on Google Cloud/],
    ['appservice', /the functions on Azure/],
    ['k8s', /the cluster’s API server/],
    ['lambda', /no host can/],
    ['constructor', /no host can/]
  ])('that cannot restart %s names those that can', async (kind, says) => {
    const error = await failure(consumers({ http: async () => {} }).restart({ kind, name: 'x' }, NEWS, soon()))
    expect(error).toMatchObject({ code: 'unsupported/restart', retryable: false })
    expect(error.message).toMatch(says)
    expect(error.message).toContain('this one restarts http')
  })

  it('that restarts nobody says so', async () => {
    const error = await failure(consumers({}).restart({ kind: 'http', name: 'https://x.example' }, NEWS, soon()))
    expect(error.message).toContain('every host can; this one restarts nobody')
  })
})
