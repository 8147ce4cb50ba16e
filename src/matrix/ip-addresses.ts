/**
 * The four numbers of an IPv4 address in its usual form: decimal, no leading zeros, so that nobody reads it as octal.
 * @returns undefined for any other text
 */
export function ipv4Parts(text: string): number[] | undefined {
  const parts = text.split(".");
  const good =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return good ? parts.map(Number) : undefined;
}

/**
 * The eight groups of an IPv6 address: without brackets and zone, one run of zeros perhaps as `::`, the last two groups
 * perhaps as an IPv4 address.
 * @returns undefined for any other text
 */
export function ipv6Groups(text: string): number[] | undefined {
  const halves = text.split("::");
  const [head = "", tail] = halves;
  if (halves.length > 2) return undefined;
  if (tail === undefined) {
    const groups = groupsOf(head, true);
    return groups?.length === 8 ? groups : undefined;
  }
  const [before, after] = [groupsOf(head, false), groupsOf(tail, true)];
  if (before === undefined || after === undefined || before.length + after.length > 7) return undefined;
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const words = text.split(":");
  const ipv4 = mayEndInIpv4 ? ipv4Parts(words.at(-1) ?? "") : undefined;
  const plain = ipv4 === undefined ? words : words.slice(0, -1);
  if (!plain.every((word) => /^[0-9A-Fa-f]{1,4}$/.test(word))) return undefined;
  const groups = plain.map((word) => Number.parseInt(word, 16));
  if (ipv4 === undefined) return groups;
  const [a = 0, b = 0, c = 0, d = 0] = ipv4;
  return [...groups, a * 256 + b, c * 256 + d];
}

/** Whether the text is an address and no name: IPv4, or IPv6 without brackets. */
export function isIpAddress(text: string): boolean {
  return ipv4Parts(text) !== undefined || ipv6Groups(text) !== undefined;
}

/** Addresses whose first `length` bits are those of `bits`. Of one family: `10.0.0.0/8` has no IPv6 address in it. */
export type IpRange = { bits: string; length: number };

/**
 * @param text - as in `10.0.0.0/8`, `fd00::/8`, or one address alone
 * @returns undefined where it is none, or has bits set beyond its length (which is mostly a slip of the pen)
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const bits = bitsOf(address);
  if (bits === undefined || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
    return undefined;
  const size = length === undefined ? bits.length : Number(length);
  return size > bits.length || bits.slice(size).includes("1") ? undefined : { bits, length: size };
}

/** Whether an address (as in `isIpAddress`) lies in one of the ranges. */
export function isInRanges(address: string, ranges: readonly IpRange[]): boolean {
  const bits = bitsOf(address);
  if (bits === undefined) return false;
  return ranges.some(
    (range) => range.bits.length === bits.length && bits.startsWith(range.bits.slice(0, range.length)),
  );
}

/** 32 or 128 zeros and ones. */
function bitsOf(address: string): string | undefined {
  const binary = (numbers: number[] | undefined, width: number) =>
    numbers?.map((number) => number.toString(2).padStart(width, "0")).join("");
  return binary(ipv4Parts(address), 8) ?? binary(ipv6Groups(address), 16);
}
