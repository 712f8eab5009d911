import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { KeyturnError } from '../errors.ts'

/**
 * What is not on the public Internet: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890), multicast
 * (RFC 5771), and 169.254.169.254 in them, where every cloud gives tokens to whoever asks.
 */
const BLOCKED_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4'
]

/** ::/32 is unspecified, loopback and IPv4-mapped; 2001::/23 and 2002::/16 carry an IPv4 address inside (Teredo, 6to4), as 64:ff9b::/96 does. */
const BLOCKED_6 = [
  '::/32',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  // NAT64 of what is blocked (RFC 6052, 3.1); of a public address it is how a network without IPv4 reaches it.
  ...BLOCKED_4.map((range) => range.split('/')).map(([address, bits]) => `64:ff9b::${address}/${96 + Number(bits)}`)
]

/** Two lists: in one of both, Node takes an IPv4 address for its mapped IPv6 one, which ::/32 has. */
const [blocked4, blocked6] = [blockList(BLOCKED_4, 'ipv4'), blockList(BLOCKED_6, 'ipv6')]

function blockList(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** Private, loopback, link-local, shared, multicast, unspecified, reserved, or one of these in another's clothes. */
export function isPrivateAddress(address: string): boolean {
  // A zone (fe80::1%eth0) is a link's own.
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return true
  return family === 6 ? blocked6.check(address, 'ipv6') : blocked4.check(address, 'ipv4')
}

/** An address written out is connected to without any lookup, so it is asked here. Throws `denied/address`. */
export function refusePrivateHost(hostname: string): void {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(literal) !== 0 && isPrivateAddress(literal)) throw notCalled(hostname)
}

/**
 * Resolves names, and refuses one that has a private address among its own. The address that is asked here is the one that is
 * connected to, so that a name cannot have another one a moment later (DNS rebinding).
 */
export const publicLookup =
  (resolve: LookupFunction = systemLookup as LookupFunction): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : []
      if (error) return callback(error, '', 0)
      const [first] = addresses
      if (first === undefined || addresses.some(({ address }) => isPrivateAddress(address)))
        return callback(notCalled(hostname), '', 0)
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
    })

const notCalled = (hostname: string): KeyturnError =>
  new KeyturnError('denied/address', `${hostname} is a private address, or a name of one`)
