/**
 * Whether an address is one of the public internet, as far as it says so itself: whoever asks for previews must not
 * learn what is in the network of the owner. Names that lead there all the same only a resolver could tell.
 * @param url - parsed, so that `0x7f.1` already reads `127.0.0.1`
 */
export function isPublicAddress(url: URL): boolean {
  if (url.protocol !== "https:" && url.protocol !== "http:") return false;
  if (url.username !== "" || url.password !== "") return false;
  const host = url.hostname.replace(/\.$/, "");
  if (host.startsWith("[")) return isPublicIpv6(host.slice(1, -1));
  if (/^\d+(\.\d+){3}$/.test(host)) return isPublicIpv4(host.split(".").map(Number));
  // A name of one label, or below one of these, means something only in its own network.
  return host.includes(".") && !localNames.test(host);
}

const localNames =
  /\.(localhost|local|internal|intranet|lan|home|corp|private|localdomain|home\.arpa|test|invalid)$/;

/** First bytes and how many bits of them count. @see https://www.iana.org/assignments/iana-ipv4-special-registry/ */
const specialIpv4: readonly (readonly [network: readonly number[], bits: number])[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 0, 2], 24],
  [[192, 88, 99], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[198, 51, 100], 24],
  [[203, 0, 113], 24],
  [[224], 3], // multicast, and what is reserved
];

function isPublicIpv4(octets: readonly number[]): boolean {
  return !specialIpv4.some(([network, bits]) => startsWith(octets, network, bits, 8));
}

/**
 * Only 2000::/3 is given out, and what in it stands for something else is refused too.
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/
 */
function isPublicIpv6(text: string): boolean {
  const groups = ipv6Groups(text);
  if (!startsWith(groups, [0x2000], 3, 16)) return false;
  return !specialIpv6.some(([network, bits]) => startsWith(groups, network, bits, 16));
}

const specialIpv6: readonly (readonly [network: readonly number[], bits: number])[] = [
  [[0x2001, 0], 23], // Teredo, benchmarks and others
  [[0x2001, 0xdb8], 32],
  [[0x2002], 16], // 6to4 holds an IPv4 address
  [[0x3fff], 20],
];

/** As URLs write them: hexadecimal alone, with at most one `::`. */
function ipv6Groups(text: string): number[] {
  const [head = "", tail = ""] = text.split("::");
  const parse = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function startsWith(
  address: readonly number[],
  network: readonly number[],
  bits: number,
  width: 8 | 16,
): boolean {
  for (let i = 0, left = bits; left > 0; i++, left -= width) {
    const ignored = Math.max(0, width - left);
    if ((address[i] ?? 0) >>> ignored !== (network[i] ?? 0) >>> ignored) return false;
  }
  return true;
}
