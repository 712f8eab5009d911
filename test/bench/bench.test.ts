import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltFunction, builtFunction } from '../functions/lambda-runtime.ts'
import { type CloudFigures, cloudLines, type Figures, lines } from './figures.ts'
import { compareImports } from './imports.ts'
import { coldStart, type Subject } from './processes.ts'
import { compareWall, count, median } from './rotation.ts'
import { onOurDouble, type Stage, TEMPLATE } from './store.ts'

let stage: Stage
let built: BuiltFunction
const plain = (): Subject => ({ name: 'plain', file: join(import.meta.dirname, 'plain-handler.mjs'), env: stage.cloud.env })
const ours = (): Subject => ({ name: 'keyturn', file: join(built.folder, 'index.mjs'), env: stage.cloud.env })
beforeAll(async () => {
  built = await builtFunction('aws/rotate-database')
  stage = await onOurDouble()
})
afterAll(async () => {
  await stage.close()
  built.remove()
})

describe('what keyturn is compared with', () => {
  test('the plain handler rotates, with ten calls, two logins and no failed one', async () => {
    expect(await count(stage, plain())).toEqual({ storeCalls: 10, storeCallsCold: 10, logins: 2, failedLogins: 0 })
  })

  test('keyturn does it with eight calls, or nine where each step has a process of its own', async () => {
    expect(await count(stage, ours())).toMatchObject({ storeCalls: 8, storeCallsCold: 9, failedLogins: 0 })
  })

  test('both rotate the same secret again and again, turn by turn', async () => {
    const both = await compareWall(stage, ours(), plain(), 1)
    expect(both.every((ms) => ms > 0)).toBe(true)
  })

  test('a cold start that fails is no figure', async () => {
    const secret = await stage.cloud.secret(TEMPLATE)
    const create = await stage.begin(secret)
    await expect(coldStart(ours(), { ...create, Step: 'deleteSecret' })).rejects.toThrow('unknown step')
  })
})

describe('a cold import', () => {
  const here = (file: string) => join(import.meta.dirname, file)

  test('is timed in processes of its own', async () => {
    const both = await compareImports([here('empty-handler.mjs'), here('empty-handler.cjs')], 1)
    expect(both.every((ms) => ms > 0)).toBe(true)
  })

  test('that fails is no figure', async () => {
    await expect(compareImports([here('no-such-file.mjs')], 1)).rejects.toThrow('was not imported')
  })
})

describe('the table of another cloud', () => {
  const figures: CloudFigures = {
    ...{ store: 'a double', storeCalls: 10, storeCallsCold: 11, otherCalls: 4 },
    ...{ importMs: 80, emptyImportMs: 20, bundleBytes: 1_000_000, indexBytes: 400_000 }
  }
  const unmet = (changed: Partial<CloudFigures>) =>
    cloudLines({ ...figures, ...changed }, 10).flatMap(({ figure, met }) => (met ? [] : [figure]))

  test('says that a figure on its target is met, and one beyond it is not', () => {
    expect(unmet({})).toEqual([])
    expect(unmet({ storeCalls: 11, importMs: 81, bundleBytes: 1_000_001 })).toHaveLength(3)
  })
})

describe('the table', () => {
  const figures: Figures = {
    ...{ store: 'a double', database: 'PostgreSQL', node: 'v24' },
    ...{ storeCalls: 8, storeCallsCold: 9, logins: 2, failedLogins: 0 },
    ...{
      wallMs: 40,
      plainWallMs: 40,
      coldMs: 70,
      emptyMs: 20,
      plainColdMs: 78,
      rssBytes: 80 * 2 ** 20,
      plainRssBytes: 97 * 2 ** 20
    },
    ...{ bundleBytes: 1_200_000, indexBytes: 350_000, rotationsUnderLoad: 100, clients: 16, clientLogins: 9, clientErrors: 0 },
    ...{ firstClientError: null, plain: { storeCalls: 10, logins: 2, failedLogins: 0 } }
  }
  const unmet = (changed: Partial<Figures>) =>
    lines({ ...figures, ...changed }).flatMap(({ figure, met }) => (met ? [] : [figure]))

  test('says that a figure on its target is met, and one beyond it is not', () => {
    expect(unmet({})).toEqual([])
    const beyond = { storeCalls: 9, wallMs: 41, coldMs: 71, rssBytes: 81 * 2 ** 20, bundleBytes: 1_200_001, clientErrors: 1 }
    expect(unmet(beyond)).toHaveLength(6)
  })

  test('has moto’s figures where moto was there, by its name', () => {
    const moto = { store: 'moto_server', storeCalls: 9, storeCallsCold: 9, logins: 2, failedLogins: 0, wallMs: 1, plainWallMs: 2 }
    const found = lines({ ...figures, moto }).filter(({ store }) => store === 'moto_server')
    expect(found.map(({ met }) => met)).toEqual([false, true, true, true, true])
  })

  test('takes the middle of what was measured', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5])
  })
})
