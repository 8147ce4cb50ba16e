import { decodeBase32, encodeBase32 } from "./base64.ts";
import { invalidParam } from "./errors.ts";

declare const brand: unique symbol;
/** A string that a parser of this folder has let through as what `Kind` says. */
export type Branded<Kind extends string> = string & { readonly [brand]: Kind };

/**
 * The name of a homeserver. Upper and lower case are different names.
 * @see https://spec.matrix.org/v1.19/appendices/#server-name
 */
export type ServerName = Branded<"ServerName">;

const nameAndPort = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|[0-9A-Za-z.-]{1,255})(?::[0-9]{1,5})?$/;
const octet = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
const ipv4 = new RegExp(`^(?:${octet}\\.){3}${octet}$`);
const hexGroup = /^[0-9A-Fa-f]{1,4}$/;
const keyName = /^([a-z2-7]{52})(?:\.(.+))?$/;
const keyBytes = 32;

/**
 * Whether `value` is a server name: a DNS name, an IPv4 or a bracketed IPv6 address, and perhaps a port.
 * It goes by the grammar and asks no more of a name: `999.0.0.1` and port 99999 can be reached by nobody, but
 * other servers let them stand in events, and an event that they accept must not be refused here.
 */
export function isServerName(value: unknown): value is ServerName {
  if (typeof value !== "string") return false;
  const match = nameAndPort.exec(value);
  return match !== null && (match[1] === undefined || isIpv6(match[1]));
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function parseServerName(text: string): ServerName {
  if (isServerName(text)) return text;
  throw invalidParam(
    `${quote(text)} is not a server name: it should look like example.org, 192.0.2.1 or [2001:db8::1], with or without a :port.`,
  );
}

/** A text from outside, as an error may show it: short, and with nothing in it that breaks a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/**
 * The name of the node whose key this is, as long as it has no home relay: 52 characters, one DNS label.
 * @param publicKey - 32 bytes of Ed25519
 */
export function serverNameFromKey(publicKey: Uint8Array): ServerName {
  if (publicKey.length !== keyBytes) throw invalidParam("A server's name is made from a key of 32 bytes.");
  return parseServerName(encodeBase32(publicKey));
}

/**
 * The key that a name proves: the name is the key, alone or followed by `.<relay host>[:port]`.
 * @returns undefined for any other name
 */
export function keyFromServerName(name: string): Uint8Array<ArrayBuffer> | undefined {
  const match = keyName.exec(name);
  const label = match?.[1];
  if (label === undefined || !isServerName(name) || match?.[2]?.startsWith(".")) return undefined;
  return decodeBase32(label);
}

/** RFC 3513 section 2.2: eight groups, or fewer around one `::`, the last two perhaps as an IPv4 address. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  const [head = "", tail] = halves;
  if (tail === undefined) return countGroups(head, true) === 8;
  return halves.length === 2 && countGroups(head, false) + countGroups(tail, true) <= 7;
}

/** Groups of 16 bits in `part`, or infinitely many when it is malformed. */
function countGroups(part: string, mayEndInIpv4: boolean): number {
  if (part === "") return 0;
  const groups = part.split(":");
  const last = groups.at(-1) ?? "";
  const endsInIpv4 = mayEndInIpv4 && ipv4.test(last);
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => hexGroup.test(group))) return Number.POSITIVE_INFINITY;
  return plain.length + (endsInIpv4 ? 2 : 0);
}
