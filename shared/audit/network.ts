import { isIPv4, isIPv6 } from 'node:net'

/** The network that an address stands for: /24 of IPv4, /48 of IPv6. Empty for what is no address. */
export function networkOf(address: string): string {
  const plain = address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address
  if (isIPv4(plain)) return `${plain.slice(0, plain.lastIndexOf('.'))}.0/24`
  if (!isIPv6(plain)) return ''
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const full = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0'), ...rest]
  return `${full
    .slice(0, 3)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/48`
}

/** The same, kept for the addresses that were asked of last. */
export function networks(): (address: string) => string {
  const known = new Map<string, string>()
  return (address) => {
    const network = known.get(address)
    if (network !== undefined) return network
    if (known.size >= MOST_KNOWN) known.clear()
    const made = networkOf(address)
    known.set(address, made)
    return made
  }
}

const MOST_KNOWN = 50_000
