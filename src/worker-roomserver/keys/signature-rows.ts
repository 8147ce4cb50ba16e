import type { JsonObject } from "../../matrix/json.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { KeySignatureRow } from "../storage/schema.ts";
import { groupBy } from "./group.ts";
import { startingWith } from "./rows.ts";

/** All signatures that `signer` has made of a user's keys, by the names of those. One range. */
export async function signaturesBy(
  storage: Storage,
  signer: string,
  user: string,
): Promise<Map<string, KeySignatureRow[]>> {
  const rows = await storage.getAll("keySignatures", startingWith(user, signer));
  return groupBy(rows, ({ key }) => key);
}

/** A key with signatures that were added to it after it was uploaded. */
export function withSignatures(key: JsonObject, added: readonly KeySignatureRow[]): JsonObject {
  if (added.length === 0) return key;
  const signatures = new Map(Object.entries((key.signatures ?? {}) as { [signer: string]: JsonObject }));
  for (const { signer, by, signature } of added) {
    const before = Object.entries(signatures.get(signer) ?? {});
    signatures.set(signer, Object.fromEntries([...before, [by, signature]]));
  }
  return { ...key, signatures: Object.fromEntries(signatures) };
}

/** Reads what `signer` has signed, with one of their keys or all. @returns takes it back */
export async function takingBack(
  storage: Storage,
  signer: string,
  by?: string,
): Promise<(write: Write) => void> {
  const range = by === undefined ? startingWith(signer) : IDBKeyRange.only([signer, by]);
  const made = await storage.keysFromIndex("keySignatures", "signer", range);
  return (write) => {
    for (const key of made) write.delete("keySignatures", key);
  };
}

/** Removes the signatures of a user's key that the user has made. Others can sign no key but the master key. */
export function removeSignatures(write: Write, user: string, key: string): void {
  write.delete("keySignatures", startingWith(user, user, key));
}
