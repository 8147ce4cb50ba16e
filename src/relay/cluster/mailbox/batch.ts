import { createHash } from "node:crypto";
import type { Mail, Put } from "../../mailbox/api.ts";
import { fingerprintsOf } from "../../mailbox/fingerprints.ts";
import { fits, type MailboxLimits, sizeOf } from "../../mailbox/room.ts";
import { PIECE } from "./pieces.ts";
import type { PutOperation } from "./record.ts";
import type { MailboxState } from "./state.ts";

/** Larger bodies lie apart: whoever reads records in order must not read them all. */
export const INLINE = 64 * 1024;
/** Mail in one record. */
const MOST = 128;
/** Of SHA-256, in bytes: who finds two that are alike in these keeps his own mail out. */
const FINGERPRINT = 16;

/** Mail that is to be put, and what is known of it. */
export type Putting = {
  mail: Mail;
  fingerprints: readonly [string, string];
  size: number;
  /** Once its body is stored apart. */
  body?: { key: string; pieces: number };
};

/** All that is remembered is in memory, and in each snapshot. */
const short = (fingerprint: string) =>
  createHash("sha256").update(fingerprint).digest().subarray(0, FINGERPRINT).toString("base64url");

export function puttingOf(mail: Mail): Putting {
  const [own, other] = fingerprintsOf(mail);
  return { mail, fingerprints: [short(own), short(other)], size: sizeOf(mail) };
}

export const isLarge = ({ mail }: Putting) => mail.body.length > INLINE;

/** How many of these, from the first one, go into one record. One in any case. */
export function batchLength(puttings: readonly Putting[]): number {
  let bytes = 0;
  const most = Math.min(puttings.length, MOST);
  for (let length = 0; length < most; length++) {
    const one = puttings[length] as Putting;
    bytes += isLarge(one) ? one.size - one.mail.body.length : one.size;
    if (bytes > PIECE && length > 0) return length;
  }
  return most;
}

/** What becomes of each, one after the other. Pure. */
export function decide(state: MailboxState, puttings: readonly Putting[], limits: MailboxLimits): Put[] {
  const used = { ...state.used };
  const here = new Set<string>();
  return puttings.map(({ mail: { verified }, fingerprints, size }) => {
    const isKnown = (one: string) => here.has(one) || state.remembered.has(one);
    if (fingerprints.some(isKnown)) return "duplicate";
    if (!fits(used, size, verified, limits)) return "full";
    here.add(fingerprints[0]);
    used.entries++;
    used.bytes += size;
    if (!verified) {
      used.unverifiedEntries++;
      used.unverifiedBytes += size;
    }
    return "stored";
  });
}

/** What a record says of these, and the bodies that lie in it. */
export function operationsFor(
  lastId: number,
  puttings: readonly Putting[],
): { operations: PutOperation[]; bodies: Uint8Array[] } {
  const bodies: Uint8Array[] = [];
  let from = 0;
  const operations = puttings.map(({ mail, fingerprints, size, body: apart }, index): PutOperation => {
    const { body, ...head } = mail;
    const about = {
      type: "put",
      id: lastId + 1 + index,
      fingerprint: fingerprints[0],
      size,
      ...head,
    } as const;
    if (apart !== undefined) return { ...about, body: apart };
    const inline = { from, length: body.length };
    from += body.length;
    bodies.push(body);
    return { ...about, inline };
  });
  return { operations, bodies };
}
