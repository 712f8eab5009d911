import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isRefused, publicLookup, refusePrivate } from '../shared/address-guard.ts'
import { wire } from '../shared/wire.ts'

/** What is inside a network, and may be allowed. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  private: ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  'this machine': ['127.0.0.1', '127.9.9.9', '::1'],
  'shared behind a carrier’s NAT': ['100.64.0.1', '100.127.255.255'],
  'for benchmarks': ['198.18.0.1', '198.19.255.255'],
  'one of these behind NAT64': ['64:ff9b::10.0.0.1', '64:ff9b::7f00:1', '64:ff9b::c0a8:1']
}

/** What nobody may allow. */
const NEVER: Readonly<Record<string, readonly string[]>> = {
  'link-local, where clouds give tokens away': [
    '169.254.169.254',
    '169.254.170.2',
    '169.254.0.1',
    'fe80::1',
    'febf::1',
    'fe80::1%eth0'
  ],
  'where clouds give tokens away besides': [
    '168.63.129.16',
    '100.100.100.200',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    '192.0.0.192'
  ],
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'reserved, or for documents': ['192.0.2.1', '192.88.99.1', '198.51.100.1', '203.0.113.1', '240.0.0.1', '255.255.255.255'],
  'reserved, or for documents, of IPv6': ['100::1', '2001:db8::1', '3fff::1', '5f00::1', 'fec0::1', '4000::1', '::2'],
  'IPv4 as IPv6': ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::ffff:8.8.8.8', '::127.0.0.1', '::ffff:0:7f00:1'],
  'IPv4 in a tunnel': ['2002:7f00:1::', '2001::1', '64:ff9b:1::1', '64:ff9b::a9fe:a9fe', '64:ff9b::a83f:8110', '64:ff9b::e000:1'],
  'no address': ['', 'localhost', '127.1', '0x7f000001', '2130706433', '[::1]']
}

const OPEN = [
  ...['8.8.8.8', '1.1.1.1', '9.255.255.255', '11.0.0.1', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1'],
  ...['169.253.0.1', '169.255.0.1', '168.63.129.17', '192.0.1.1', '198.17.0.1', '198.20.0.1', '223.255.255.255'],
  ...['2606:4700:4700::1111', '2a00:1450::1', '2001:4860:4860::8888', '64:ff9b::808:808']
]

const to =
  (...addresses: readonly string[]): LookupFunction =>
  (_, __, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    )

describe('an address', () => {
  it.each(Object.entries(INSIDE))('that is %s is refused, and called where that is allowed', (_, addresses) => {
    expect(addresses.filter((address) => !isRefused(address))).toEqual([])
    expect(addresses.filter((address) => isRefused(address, { allowPrivate: true }))).toEqual([])
  })

  it.each(Object.entries(NEVER))('that is %s is refused, whatever is allowed', (_, addresses) => {
    expect(addresses.filter((address) => !isRefused(address))).toEqual([])
    expect(addresses.filter((address) => !isRefused(address, { allowPrivate: true }))).toEqual([])
  })

  it('of the public Internet is called', () => {
    expect(OPEN.filter((address) => isRefused(address))).toEqual([])
  })

  it.each([
    'https://10.0.0.1/',
    'https://127.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://①②⑦.0.0.1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]:8443/',
    'https://169.254.169.254/latest/meta-data'
  ])('is refused as %s, in whatever way it is written', (text) => {
    const refused = expect.objectContaining({ code: 'denied/address', retryable: false })
    expect(() => refusePrivate(new URL(text))).toThrow(refused)
  })

  it('in a URL passes where it is public, or allowed; a name is asked for when it is connected to', () => {
    for (const text of ['https://8.8.8.8/', 'https://[2606:4700::1]/', 'https://localhost/', 'https://10.0.0.1.example.com/'])
      expect(() => refusePrivate(new URL(text))).not.toThrow()
    expect(() => refusePrivate(new URL('https://10.0.0.1/'), { allowPrivate: true })).not.toThrow()
    expect(() => refusePrivate(new URL('https://169.254.169.254/'), { allowPrivate: true })).toThrow()
  })
})

describe('a name', () => {
  const ask = (lookup: LookupFunction, all = false) =>
    new Promise<unknown>((resolve) =>
      lookup('api.example.com', { all }, (error, address, family) => resolve(error ?? { address, family }))
    )
  const refused = { code: 'denied/address' }

  it('is resolved once, and what was asked about is what is connected to', async () => {
    let asked = 0
    const rebinding: LookupFunction = (...given) => to(asked++ === 0 ? '8.8.8.8' : '127.0.0.1')(...given)
    const lookup = publicLookup({ resolve: rebinding })
    expect(await ask(lookup)).toEqual({ address: '8.8.8.8', family: 4 })
    expect(asked).toBe(1)
    expect(await ask(lookup)).toMatchObject(refused)
  })

  it('is refused for one private address among public ones, and for none at all', async () => {
    expect(await ask(publicLookup({ resolve: to('8.8.8.8', '10.0.0.1') }), true)).toMatchObject(refused)
    expect(await ask(publicLookup({ resolve: to() }))).toMatchObject(refused)
    const both = [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 }
    ]
    expect(await ask(publicLookup({ resolve: to('8.8.8.8', '2606:4700::1') }), true)).toMatchObject({ address: both })
  })

  it('that is not found is not taken for a private one', async () => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    expect(await ask(publicLookup({ resolve: (_, __, callback) => callback(error, '', 0) }))).toBe(error)
  })

  it('of this machine, asked of the system itself, is refused, and resolved where that is allowed', async () => {
    const own = (options: object) =>
      new Promise<unknown>((resolve) =>
        publicLookup(options)('localhost', { all: true }, (error, found) => resolve(error ?? found))
      )
    expect(await own({})).toMatchObject(refused)
    expect(await own({ allowPrivate: true })).toContainEqual({ address: '127.0.0.1', family: 4 })
  })
})

describe('a connection', () => {
  it('to a name with a private address never comes about, and says why', async () => {
    let connections = 0
    const server = createServer((_, response) => void response.end('{}')).on('connection', () => {
      connections += 1
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = new URL(`http://hooks.example.com:${(server.address() as AddressInfo).port}/`)
    const send = (allowPrivate: boolean) => {
      const lookup = publicLookup({ resolve: to('127.0.0.1'), allowPrivate })
      const common = {
        peer: 'x',
        unavailable: 'unavailable/provider',
        mostBytes: 9,
        requestTimeoutMs: 5_000,
        now: Date.now
      } as const
      return wire({ ...common, lookup })({ method: 'GET', url, headers: {} }, AbortSignal.timeout(9_000))
    }
    await expect(send(false)).rejects.toMatchObject({ code: 'denied/address' })
    expect(connections).toBe(0)
    expect(await send(true)).toMatchObject({ status: 200 })
    expect(connections).toBe(1)
  })
})
