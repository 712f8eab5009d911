import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubernetesWorkload } from '../../shared/consumers/kubernetes.ts'
import { SecretText } from '../../shared/types.ts'
import { type KubernetesHarness, startKubernetes, workload } from '../doubles/consumer-kubernetes.ts'
import { consumerSuite, failure, NEWS, soon } from '../doubles/consumer-suite.ts'

consumerSuite('a workload of Kubernetes', startKubernetes)

describe('a workload of Kubernetes', () => {
  let h: KubernetesHarness
  beforeAll(async () => {
    h = await startKubernetes()
  })
  afterAll(() => h?.stop())
  const restart = (name = 'orders/deployment/web') => h.restart({ kind: 'k8s', name }, NEWS, soon())

  it('gets the annotation of kubectl rollout restart on its pods’ template, and no other change', async () => {
    await restart()
    const { json, url } = h.double.seen.at(-1) ?? {}
    const time = expect.stringMatching(/^2026-03-01T02:00:00\.\d{3}Z$/)
    expect(json).toEqual({ spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': time } } } } })
    expect(url?.searchParams.get('fieldManager')).toBe('keyturn')
    const annotations = h.workloads.get('orders/deployments/web')?.spec.template.metadata.annotations
    expect(annotations).toEqual({ 'example.com/of': 'the owner', 'kubectl.kubernetes.io/restartedAt': time })
  })

  it.each(['statefulset', 'daemonset'])('may be a %s', async (kind) => {
    h.workloads.set(
      `orders/${kind}s/db`,
      workload({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
    )
    await restart(`orders/${kind}/db`)
    expect(h.workloads.get(`orders/${kind}s/db`)?.generation).toBe(2)
  })

  it('that is patched twice by one call, for a lost answer, is restarted once', async () => {
    const from = h.double.calls.length
    const before = h.workloads.get('orders/deployments/web')?.generation ?? 0
    h.double.setFault((_, index) => (index === from ? 'lost' : undefined))
    await restart()
    h.double.setFault(undefined)
    expect(h.double.calls.length).toBe(from + 2)
    expect(h.workloads.get('orders/deployments/web')?.generation).toBe(before + 1)
  })

  it.each([
    ['deployment', { paused: true }, 'unavailable/provider', /kubectl rollout resume/],
    ['statefulset', { updateStrategy: { type: 'OnDelete' } }, 'unsupported/provider', /delete its pods/],
    ['daemonset', { updateStrategy: { type: 'OnDelete' } }, 'unsupported/provider', /delete its pods/],
    [
      'statefulset',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
      'unsupported/provider',
      /below 2/
    ]
  ])('that is a %s with %j is not taken for restarted', async (kind, spec, code, says) => {
    h.workloads.set(`orders/${kind}s/held`, workload(spec))
    const error = await failure(restart(`orders/${kind}/held`))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(says)
  })

  it('is not restarted by whom the cluster does not know', async () => {
    const stranger = kubernetesWorkload({ ...h.settings, token: async () => new SecretText('of-another-cluster') })
    const error = await failure(stranger({ kind: 'k8s', name: 'orders/deployment/web' }, NEWS, soon()))
    expect(error).toMatchObject({ code: 'denied/provider', vendor: 'Unauthorized' })
    expect(error.message).not.toContain('of-another-cluster')
  })

  it('is not asked for without a token, and why there is none is not told', async () => {
    const calls = h.double.calls.length
    const nobody = kubernetesWorkload({ ...h.settings, token: () => Promise.reject(new RangeError('planted-words')) })
    const error = await failure(nobody({ kind: 'k8s', name: 'orders/deployment/web' }, NEWS, soon()))
    expect(error).toMatchObject({ code: 'denied/provider', vendor: 'RangeError' })
    expect(error.message).not.toContain('planted-words')
    expect(h.double.calls.length).toBe(calls)
  })

  it('is not asked for over a connection without TLS', () => {
    expect(() => kubernetesWorkload({ ...h.settings, apiServer: 'http://10.0.0.1:6443' })).toThrow(
      expect.objectContaining({ code: 'invalid/config' })
    )
  })

  it('that is refused for a reason that no table knows is for the next run', async () => {
    const body = { kind: 'Status', status: 'Failure', message: 'the vendor’s words', reason: 'Invalid', code: 422 }
    h.double.setFault(() => ({ status: 422, body }))
    const error = await failure(restart())
    h.double.setFault(undefined)
    expect(error).toMatchObject({ code: 'unavailable/provider', vendor: 'Invalid' })
    expect(error.message).not.toContain('words')
  })

  it.each([
    ['a page that is no API server’s', { status: 404, body: '404 page not found' }],
    ['a page of a proxy’s', { status: 200, body: '<html>Sign in</html>' }]
  ])('behind %s is not told apart from one that does not answer', async (_, answer) => {
    h.double.setFault(() => answer)
    expect(await failure(restart())).toMatchObject({ code: 'unavailable/provider' })
    h.double.setFault(undefined)
  })
})
