import { createReadStream } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../shared/audit/event.ts'
import { BOUNDS } from '../../shared/audit/gunzip.ts'
import { readLogs } from '../../shared/audit/read.ts'
import { reviewOf } from '../../shared/audit/reports/drift.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { emptyState } from '../../shared/audit/state.ts'
import { summarize } from '../../shared/audit/summarize.ts'
import type { Summary } from '../../shared/audit/summary.ts'
import { findOpenbao, type Openbao, startOpenbao } from '../servers/openbao.ts'

const READS_APP = 'path "secret/data/app/*" { capabilities = ["read"] }'

interface Answered {
  readonly summary: Summary
  readonly events: readonly AuditEvent[]
}

/** Reads the log from where the state's last reading ended. */
async function audited({ auditPath }: Openbao, state = emptyState(), from = 0): Promise<Answered & { readonly offset: number }> {
  const events: AuditEvent[] = []
  const source = {
    name: 'audit.log',
    bytes: undefined,
    from,
    isGrowing: true,
    open: (at: number) => createReadStream(auditPath, { start: at })
  }
  const now = Date.now()
  const read = await readLogs([source], {
    ...{ settings: AUDIT_DEFAULTS, seen: state.seen, bounds: BOUNDS, since: undefined, until: undefined, clock: now },
    each: (event) => void events.push(event)
  })
  const summary = summarize(read, state, { settings: AUDIT_DEFAULTS, since: undefined, until: undefined, now, listed: undefined })
  expect(read.malformed, 'lines that could not be read').toBe(0)
  return { summary, events, offset: read.offsets.get('audit.log') ?? 0 }
}

const said = ({ findings }: Summary) => findings.map(({ signal, title, severity }) => `${severity} ${signal}: ${title}`).sort()

/** A person who may read what an app reads, and nothing else. */
async function withAnn(bao: Openbao): Promise<string> {
  await bao.mountKv('secret')
  await bao.writePolicy('app', READS_APP)
  await bao.enableAuth('userpass')
  await bao.expect('POST', '/v1/auth/userpass/users/ann', {
    password: 'planted-password',
    token_policies: ['app'],
    token_ttl: '1h'
  })
  await bao.expect('POST', '/v1/secret/data/app/db', { data: { password: 'planted-secret' } })
  const { body } = await bao.request('POST', '/v1/auth/userpass/login/ann', { password: 'planted-password' }, '')
  return (body as { auth: { client_token: string } }).auth.client_token
}

if (findOpenbao() !== undefined)
  describe('the log of a real OpenBao', () => {
    test('of a policy change, a denied read, a failed login, a long token and root raises exactly these', async () => {
      await using bao = await startOpenbao()
      const ann = await withAnn(bao)
      // Everything until here was done as root, which is a finding by itself; what follows is asked about.
      const state = emptyState()
      const before = await audited(bao, state)
      expect(said(before.summary).every((line) => line.startsWith('high root-used: root acted as root'))).toBe(true)

      expect((await bao.request('GET', '/v1/secret/data/app/db', undefined, ann)).status).toBe(200)
      expect((await bao.request('GET', '/v1/secret/data/other/db', undefined, ann)).status).toBe(403)
      for (let n = 0; n < 5; n++)
        expect((await bao.request('POST', '/v1/auth/userpass/login/ann', { password: `wrong-${n}` }, '')).status).toBe(400)
      await bao.expect('POST', '/v1/auth/token/create', { policies: ['app'], ttl: '720h', no_parent: true })
      await bao.writePolicy('app', `${READS_APP}\npath "secret/data/other/*" { capabilities = ["read"] }`)

      const { summary, events } = await audited(bao, state, before.offset)
      expect(said(summary)).toEqual(
        [
          'high root-used: root acted as root: update of auth/token/',
          'high root-used: root acted as root: update of sys/policies/acl/app',
          'low denied: userpass-ann was refused once, for secret/other/db',
          'medium failed-logins: 5 logins from 127.0.0.1 failed within ten minutes',
          'medium long-ttl: auth/token/ gave root a token of 720 hours'
        ].sort()
      )
      expect(
        events
          .filter(({ kind }) => kind === 'read')
          .map(({ identity, secret, outcome }) => [identity.name, secret?.name, outcome])
      ).toEqual([
        ['userpass-ann', 'secret/app/db', 'done'],
        ['userpass-ann', 'secret/other/db', 'denied']
      ])
      expect(
        summary.inventory.find((row) => row.identityName === 'userpass-ann' && row.secretName === 'secret/app/db')
      ).toMatchObject({
        identityType: 'person',
        secretName: 'secret/app/db',
        reads: 1
      })
      expect(JSON.stringify({ summary, events })).not.toMatch(/planted|hvs\.|s\.[A-Za-z0-9]{20}/)
    })

    test('tells a policy that is as it was reviewed from one that is not, by the HMACs of the device', async () => {
      await using bao = await startOpenbao()
      const state = emptyState()
      await bao.writePolicy('app', READS_APP)
      const first = await audited(bao, state)
      expect(first.summary.drift.map(({ policy, state: s }) => [policy, s])).toEqual([['sys/policies/acl/app', 'unreviewed']])
      state.review = reviewOf(state.tally, Date.now(), 'Ann')
      await bao.writePolicy('app', 'path "*" { capabilities = ["sudo"] }')
      const second = await audited(bao, state, first.offset)
      expect(second.summary.drift).toMatchObject([
        { policy: 'sys/policies/acl/app', state: 'changed', reviewer: 'Ann', changedBy: 'root' }
      ])
      await bao.writePolicy('app', READS_APP)
      const third = await audited(bao, state, second.offset)
      expect(third.summary.drift).toMatchObject([{ policy: 'sys/policies/acl/app', state: 'same' }])
    })

    test('tells a root token, which never ends, and generate-root', async () => {
      await using bao = await startOpenbao()
      const { summary } = await audited(bao, emptyState())
      expect(summary.findings.length, 'findings of the setting up').toBe(0)
      await bao.expect('POST', '/v1/auth/token/create', { policies: ['root'] })
      const after = await audited(bao, emptyState())
      expect(said(after.summary)).toEqual([
        'high long-ttl: auth/token/ gave root a token that never ends',
        'high root-used: root acted as root: update of auth/token/'
      ])
    })
  })
