import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../shared/config.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { everywhere } from '../../shared/consumers/everywhere.ts'
import { cloudRunService } from '../../shared/consumers/gcp-cloud-run.ts'
import { startAppService } from '../doubles/consumer-app-service.ts'
import { startCloudRun } from '../doubles/consumer-cloud-run.ts'
import { startEcs } from '../doubles/consumer-ecs.ts'
import { startHook } from '../doubles/consumer-http.ts'
import { startKubernetes } from '../doubles/consumer-kubernetes.ts'
import { type ConsumerHarness, failure, NEWS, soon, TOKEN } from '../doubles/consumer-suite.ts'
import { sharedAuthority } from '../servers/certificates.ts'

async function running<T extends { stop(): Promise<void> }>(start: () => Promise<T>): Promise<T> {
  const harness = await start()
  onTestFinished(harness.stop)
  return harness
}

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-consumers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const all = { ...files, 'ca.pem': (await sharedAuthority()).caPem }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text)
  return folder
}

test('a private host of a provider’s lets no hook into the network: each hook’s own host must be named', async () => {
  const hook = await running(startHook)
  const folder = await folderWith({})
  const restart = (privateHosts: string) => {
    const config = readConfig({
      KEYTURN_CA_FILE: join(folder, 'ca.pem'),
      KEYTURN_RESTART_HOSTS: hook.host,
      KEYTURN_PRIVATE_HOSTS: privateHosts
    })
    return consumers(everywhere(config)).restart(hook.consumer, NEWS, soon())
  }
  for (const others of ['', 'appliance.example', '127.0.0.1:1', '127.0.0.10'])
    expect(await failure(restart(others))).toMatchObject({ code: 'denied/address' })
  expect(hook.double.calls).toEqual([])
  await restart(`appliance.example ${hook.host}`)
  await restart('127.0.0.1')
  expect(hook.restarts()).toBe(2)
})

test('workloads of a cluster are restarted where its API server is named, with the token that its file has then', async () => {
  expect(Object.keys(everywhere(readConfig({})))).toEqual(['http'])
  const cluster = await running(startKubernetes)
  const folder = await folderWith({ token: 'planted-old-token' })
  const config = readConfig({
    KEYTURN_KUBERNETES_URL: cluster.double.url,
    KEYTURN_KUBERNETES_CA_FILE: join(folder, 'ca.pem'),
    KEYTURN_KUBERNETES_TOKEN_FILE: join(folder, 'token')
  })
  const { restart } = consumers(everywhere(config))
  const error = await failure(restart(cluster.consumer, NEWS, soon()))
  expect(error).toMatchObject({ code: 'denied/provider', vendor: 'Unauthorized' })
  expect(error.message).not.toContain('planted-old-token')
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`)
  await restart(cluster.consumer, NEWS, soon())
  expect(cluster.restarts()).toBe(1)
})

test('a service of Cloud Run without a project is not asked for where none is known', async () => {
  const { consumer, double } = await running(startCloudRun)
  const restart = cloudRunService({ project: '', authorize: async () => new Headers(), endpoint: double.url })
  const error = await failure(restart(consumer, NEWS, soon()))
  expect(error).toMatchObject({ code: 'invalid/config', message: expect.stringContaining('run:<project>/europe-west1/orders') })
  expect(double.calls).toEqual([])
})

test.each([
  ['ECS', startEcs, (code: string) => ({ __type: code })],
  ['Kubernetes', startKubernetes, (code: string) => ({ kind: 'Status', status: 'Failure', reason: code })],
  ['Cloud Run', startCloudRun, (code: string) => ({ error: { status: code } })],
  ['App Service', startAppService, (code: string) => ({ error: { code } })]
])('a code of %s that no table has, though every object has it, is for the next run', async (_, start, bodyOf) => {
  const { restart, consumer, double } = await running<ConsumerHarness>(start)
  for (const vendor of ['constructor', 'toString', 'SomethingNew']) {
    double.setFault(() => ({ status: 400, body: bodyOf(vendor) }))
    expect(await failure(restart(consumer, NEWS, soon()))).toMatchObject({ code: 'unavailable/provider', vendor })
  }
})
