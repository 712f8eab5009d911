import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findAzurite } from './azurite.ts'
import { azuriteSuite } from './azurite-suite.ts'
import { type CloudProgram, startProgram } from './cloud-program.ts'
import { findOpenbao } from './openbao.ts'
import { openbaoSuite } from './openbao-suite.ts'
import { findPubsub } from './pubsub.ts'
import { pubsubSuite } from './pubsub-suite.ts'

describe('a server program', () => {
  const script = (text: string): CloudProgram => ({
    ...{ name: 'script', command: process.execPath, args: ([port]) => ['-e', text, `${port}`], ports: 1 },
    ...{ ready: /ready/, portTaken: /EADDRINUSE/ }
  })

  test('is gone with its folder when it is closed', async () => {
    const { child, folder, close } = await startProgram(script("console.log('ready'); setInterval(() => {}, 1000)"))
    expect([child.exitCode, existsSync(folder)]).toEqual([null, true])
    await close()
    expect([child.signalCode, existsSync(folder)]).toEqual(['SIGKILL', false])
  })
  test('is started again on other ports when one was taken meanwhile', async () => {
    const offered: (number | undefined)[] = []
    const serve =
      "require('http').createServer().listen({ port: +process.argv[1], host: '127.0.0.1' }, () => console.log('ready'))"
    const fail = "fs.rmSync('taken'); console.error('EADDRINUSE'); process.exit(1)"
    const takenOnce = `const fs = require('fs'); if (fs.existsSync('taken')) { ${fail} } ${serve}`
    const { ports, close } = await startProgram(script(takenOnce), (folder, [port]) => {
      if (offered.length === 0) writeFileSync(join(folder, 'taken'), '')
      offered.push(port)
    })
    expect([offered.length, ports[0]]).toEqual([2, offered[1]])
    await close()
  })
  test('that ends instead of listening is an error, with its last words', async () => {
    const place: string[] = []
    const started = startProgram(script("console.error('no such setting'); process.exit(1)"), (folder) => place.push(folder))
    await expect(started).rejects.toThrow(/script did not start:\nno such setting/)
    expect(place.map(existsSync)).toEqual([false])
  })
  test('that is not there is an error', async () => {
    await expect(startProgram({ ...script(''), command: '/nowhere/program' })).rejects.toThrow(
      '/nowhere/program cannot be started'
    )
  })
})

if (findAzurite() !== undefined) azuriteSuite()
if (findPubsub() !== undefined) pubsubSuite()
if (findOpenbao() !== undefined) openbaoSuite()
