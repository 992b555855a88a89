// What an address is for, after the registries of special-purpose addresses of IANA (RFC 6890, as of 2025). Public is what is
// left when everything else is taken away; in IPv6 that is a part of 2000::/3 only.

import { inRange, parseRange, type Address, type AddressRange } from './address.ts'

const table = {
  // What hands credentials of a machine to whoever asks; also where its address looks public.
  metadata: ['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'],
  unspecified: ['0.0.0.0/8', '::'],
  loopback: ['127.0.0.0/8', '::1'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  shared: ['100.64.0.0/10'],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  broadcast: ['255.255.255.255'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  documentation: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  benchmark: ['198.18.0.0/15', '2001:2::/48'],
  // Addresses that carry an IPv4 address, which would be the one that is reached.
  mapped: ['::ffff:0:0/96', '::ffff:0:0:0/96'],
  compatible: ['::/96'],
  nat64: ['64:ff9b::/96', '64:ff9b:1::/48'],
  teredo: ['2001::/32'],
  '6to4': ['2002::/16', '192.88.99.0/24'],
  reserved: ['192.0.0.0/24', '240.0.0.0/4', '2001::/23', '3ffe::/16'],
} as const satisfies Record<string, readonly string[]>

/** What an address is for. */
export type AddressKind = keyof typeof table | 'isatap' | 'public'

const ranges = Object.entries(table).flatMap(([kind, texts]) =>
  texts.map((text) => ({ kind: kind as AddressKind, range: parseRange(text) as AddressRange })),
)
const globalUnicast = parseRange('2000::/3') as AddressRange

/** What an address is for. The narrowest purpose counts: `169.254.169.254` is `metadata`, not `link-local`. */
export function addressKind(address: Address): AddressKind {
  for (const { kind, range } of ranges) if (inRange(address, range)) return kind
  if (address.family === 4) return 'public'
  if (!inRange(address, globalUnicast)) return 'reserved'
  // An interface of ISATAP (RFC 5214) carries an IPv4 address in its last 32 bits.
  const marker = (address.value >> 32n) & 0xfdff_ffffn
  return marker === 0x5efen ? 'isatap' : 'public'
}

/** Kinds that a host which the operator named may have: the operator's own networks, and nothing odder. */
export function isOwnNetwork(kind: AddressKind): boolean {
  return kind === 'loopback' || kind === 'private' || kind === 'shared'
}
