import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { KeyturnError } from './errors.ts'

export interface AddressOptions {
  /** What is inside a network may be called too: private and shared addresses, and this machine. What gives tokens away never. */
  readonly allowPrivate?: boolean | undefined
}

export interface LookupOptions extends AddressOptions {
  /** Default: node:dns. What it finds is asked about. */
  readonly resolve?: LookupFunction | undefined
}

/**
 * Where clouds give tokens and keys to whoever asks from inside, besides link-local. Azure: virtual-network/what-is-ip-address-168-63-129-16.
 * AWS: AWSEC2/UserGuide/instancedata-data-retrieval, and the EKS Pod Identity agent beside it. Google: compute/docs/metadata/overview.
 * Alibaba Cloud: ecs/user-guide/view-instance-metadata. (Oracle’s 192.0.0.192 is in a reserved range.)
 */
const TOKENS_4 = ['168.63.129.16/32', '100.100.100.200/32', '169.254.0.0/16']
const TOKENS_6 = ['fd00:ec2::/32', 'fd20:ce::/32', 'fe80::/10', ...nat64(TOKENS_4)]

/** RFC 1918, RFC 6598 (between carriers and their customers), RFC 2544 (benchmarks), loopback. */
const INSIDE_4 = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15']
/** RFC 4193, loopback. */
const INSIDE_6 = ['fc00::/7', '::1/128', ...nat64(INSIDE_4)]

/** The rest of IANA’s special-purpose registry (RFC 6890), multicast (RFC 5771) and what is reserved. */
const SPECIAL_4 = [
  '0.0.0.0/8',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4'
]
/** 2001::/23 and 2002::/16 carry an IPv4 address inside (Teredo, 6to4), the others are for documents. */
const SPECIAL_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', ...nat64(SPECIAL_4)]

/**
 * All that IANA has given out of IPv6 (ipv6-address-space), and NAT64 (RFC 6052): how a network without IPv4 reaches it. Neither has
 * the unspecified address, IPv4 as IPv6 (::ffff:0:0/96 and others), site-local or multicast.
 */
const GLOBAL_6 = ['2000::/3', '64:ff9b::/96']

const tokens = lists(TOKENS_4, TOKENS_6)
const inside = lists(INSIDE_4, INSIDE_6)
const special = lists(SPECIAL_4, SPECIAL_6)
const all = lists(['0.0.0.0/0'], GLOBAL_6)

/** An address that nobody outside of a network has: private, shared, or this machine’s. */
export const isInside = (address: string): boolean => isIP(address) !== 0 && inside(address)

/** Whether a connection to this address is refused; what is no address is. */
export function isRefused(address: string, { allowPrivate = false }: AddressOptions = {}): boolean {
  // A zone (fe80::1%eth0) is a link's own.
  if (isIP(address) === 0 || address.includes('%') || tokens(address)) return true
  if (inside(address)) return !allowPrivate
  return special(address) || !all(address)
}

/** An address that is written in a URL is connected to without any look-up, so it is asked here. Throws `denied/address`. */
export function refusePrivate(url: URL, options: AddressOptions = {}): void {
  const literal = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(literal) !== 0 && isRefused(literal, options)) throw refusal(url.hostname)
}

/**
 * Resolves a name, and fails with `denied/address` where one of its addresses is refused. What is asked here is what is connected
 * to, so a name cannot have another address a moment later (DNS rebinding).
 */
export function publicLookup({ resolve = systemLookup as LookupFunction, ...options }: LookupOptions = {}): LookupFunction {
  return (hostname, asked, callback) =>
    resolve(hostname, { ...asked, all: true }, (error, found) => {
      if (error) return callback(error, '', 0)
      const addresses = Array.isArray(found) ? found : []
      const [first] = addresses
      if (first === undefined || addresses.some(({ address }) => isRefused(address, options)))
        return callback(refusal(hostname), '', 0)
      return asked.all ? callback(null, addresses) : callback(null, first.address, first.family)
    })
}

const refusal = (hostname: string): KeyturnError =>
  new KeyturnError('denied/address', `${hostname} is an address, or has one, that is not called: private, or reserved`)

/** The same ranges behind a NAT64 (RFC 6052, 2.1: the IPv4 address is the last 32 bits). */
function nat64(ranges: readonly string[]): readonly string[] {
  return ranges.map((range) => range.split('/')).map(([address = '', bits]) => `64:ff9b::${address}/${96 + Number(bits)}`)
}

/** One list a family: in a list of both, Node takes an IPv4 address for the IPv6 one that it is mapped to. */
function lists(ranges4: readonly string[], ranges6: readonly string[]): (address: string) => boolean {
  const [four, six] = [blockList(ranges4, 'ipv4'), blockList(ranges6, 'ipv6')]
  return (address) => (isIP(address) === 6 ? six.check(address, 'ipv6') : four.check(address, 'ipv4'))
}

function blockList(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}
