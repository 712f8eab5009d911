import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { amazonAuthorities } from '../../functions/aws/authorities.ts'

test.each(['db.abc123.eu-central-1.rds.amazonaws.com', 'DB.abc123.cn-north-1.rds.amazonaws.com.cn'])(
  'Amazon’s own authorities are trusted for %s',
  async (host) => {
    const [first = ''] = (await amazonAuthorities(host)) ?? []
    expect(new X509Certificate(first).subject).toMatch(/Amazon/)
  }
)

test.each(['localhost', 'db.rds.amazonaws.com.evil.example', 'rds.amazonaws.com'])('and not for %s', async (host) => {
  expect(await amazonAuthorities(host)).toBeUndefined()
})
