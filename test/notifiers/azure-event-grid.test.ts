import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventGridTopic } from '../../shared/notifiers/azure-event-grid.ts'
import { notifierSuite } from '../conformance/notifier.ts'
import { failure, notice, soon } from '../conformance/notifier-harness.ts'
import { type GridHarness, startGrid } from '../doubles/channel-event-grid.ts'

const SCHEMAS = ['CloudEventSchemaV1_0', 'EventGridSchema'] as const
for (const schema of SCHEMAS) notifierSuite(`a topic of Event Grid that takes ${schema}`, () => startGrid(schema))

describe.each(SCHEMAS)('a topic of Event Grid that takes %s', (schema) => {
  let h: GridHarness
  beforeAll(async () => {
    h = await startGrid(schema)
  })
  afterAll(() => h?.stop())

  it('gets an event with a type and a subject that subscriptions filter by', async () => {
    const said = notice()
    await h.make().send(said, soon())
    const subject = `notices/critical/${said.id}`
    const data = { id: said.id, severity: 'critical', title: said.title, lines: said.lines, fields: said.fields }
    const type = schema === 'EventGridSchema' ? { eventType: 'keyturn.notice' } : { type: 'keyturn.notice', source: '/keyturn' }
    expect(h.last()).toMatchObject({ subject, data, ...type })
  })

  it('that is taken for one of the other schema says which word is missing', async () => {
    const error = await failure(eventGridTopic({ topic: h.other, token: h.token }).send(notice(), soon()), h)
    expect(error).toMatchObject({ code: 'invalid/notice', vendor: '400' })
    expect(error.message).toContain('#EventGridSchema')
  })

  it('is called by the topic’s name', () => {
    const topic = 'https://alerts.westeurope-1.eventgrid.azure.net/api/events'
    expect(eventGridTopic({ topic, token: h.token }).name).toBe('eventgrid:alerts')
  })
})
