import { ipv4Parts, ipv6Groups } from "./ip-addresses.ts";

/**
 * Whether a URL's host may be on the public internet, by its name alone: not this machine, nor one of its network. A
 * name that leads to a private address cannot be told here.
 * @param hostname - as `new URL(...).hostname` gives it: IPv4 in four decimal parts, IPv6 in brackets and shortest form
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[")) return isPublicAddress(name.slice(1, -1));
  if (ipv4Parts(name) !== undefined) return isPublicAddress(name);
  // A name of one part is looked up in the network that this machine is in.
  return name.includes(".") && !PRIVATE_NAMES.some((suffix) => name.endsWith(suffix));
}

/**
 * Whether an address is on the public internet. What is no address, or one with a zone (`fe80::1%eth0`), is not.
 * @param address - IPv4 in four decimal parts, IPv6 without brackets, in any of its forms
 */
export function isPublicAddress(address: string): boolean {
  const parts = ipv4Parts(address);
  if (parts !== undefined) return isPublicIpv4(parts);
  const groups = ipv6Groups(address);
  return groups !== undefined && isPublicIpv6(groups);
}

/** @see https://www.iana.org/assignments/special-use-domain-names */
const PRIVATE_NAMES = [
  ".localhost",
  ".local",
  ".internal",
  ".home.arpa",
  ".intranet",
  ".corp",
  ".home",
  ".private",
  ".localdomain",
  ".lan",
  ".test",
  ".invalid",
  ".onion",
];

/** Networks that are not public, and how many of their bits count. */
const PRIVATE_IPV4: readonly [network: readonly number[], bits: number][] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 0, 2, 0], 24],
  [[192, 88, 99, 0], 24],
  [[192, 168, 0, 0], 16],
  [[198, 18, 0, 0], 15],
  [[198, 51, 100, 0], 24],
  [[203, 0, 113, 0], 24],
  [[224, 0, 0, 0], 3], // multicast, and all that is reserved above it
];

const toNumber = (parts: readonly number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);

function isPublicIpv4(parts: readonly number[]): boolean {
  const address = toNumber(parts);
  return !PRIVATE_IPV4.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor(toNumber(network) / size);
  });
}

/** Of IPv6 only global unicast (2000::/3) is public, and not what of it stands for something else. */
function isPublicIpv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0] = groups;
  const embedded = groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]);
  // 64:ff9b::/96 leads to IPv4.
  if (first === 0x64 && second === 0xff9b) return groups.slice(2, 6).every(isZero) && isPublicIpv4(embedded);
  if (first >> 13 !== 1) return false;
  // 2001::/23 is for protocols, 2001:db8::/32 and 3fff::/20 for documentation; 2002::/16 holds an IPv4 address.
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return false;
  if (first === 0x2002 || (first === 0x3fff && second < 0x1000)) return false;
  // ISATAP (RFC 5214): the host's own IPv4 address is in the last half, whatever the network.
  const isatap = groups[5] === 0x5efe && (groups[4] === 0 || groups[4] === 0x200);
  return !isatap || isPublicIpv4(embedded);
}

const isZero = (group: number) => group === 0;
