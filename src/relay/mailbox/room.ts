import type { Mail } from "./api.ts";

/** What is kept for one node. */
export type MailboxLimits = { bytes: number; entries: number };

/** What is taken of it. */
export type Used = { entries: number; bytes: number; unverifiedEntries: number; unverifiedBytes: number };

/** Of a node's space, what is not verified may take one part in so many: forged names fill no more than that. */
export const UNVERIFIED_SHARE = 4;
/** What an entry costs beside its texts: its other columns, indexes and what is remembered of it. */
const OVERHEAD = 256;

/** Whether an entry of so many bytes may come to those that are there. */
export function fits(used: Used, bytes: number, verified: boolean, limits: MailboxLimits): boolean {
  if (used.entries >= limits.entries || used.bytes + bytes > limits.bytes) return false;
  if (verified) return true;
  return (
    used.unverifiedEntries < limits.entries / UNVERIFIED_SHARE &&
    used.unverifiedBytes + bytes <= limits.bytes / UNVERIFIED_SHARE
  );
}

/** What an entry takes of its owner's space, in bytes. */
export function sizeOf({ origin, txnId, uri, authorization, body }: Mail): number {
  const texts = [origin, txnId, uri, JSON.stringify(authorization)];
  return texts.reduce((sum, text) => sum + text.length, OVERHEAD + body.length);
}
