import { MatrixError, notFound } from "../../matrix/errors.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { KeyBackupRow } from "../storage/schema.ts";

/** A version with its number. */
export type Version = { number: number; row: KeyBackupRow };

/** @throws MatrixError M_NOT_FOUND 404 for what cannot be a version */
export function versionNumber(version: string): number {
  if (/^[1-9]\d{0,14}$/.test(version)) return Number(version);
  throw unknownVersion();
}

/** @throws MatrixError M_NOT_FOUND 404 */
export async function versionOf(storage: Storage, userId: string, version: string): Promise<Version> {
  const number = versionNumber(version);
  const row = await storage.get("keyBackups", [userId, -number]);
  if (row === undefined) throw unknownVersion();
  return { number, row };
}

/** @throws MatrixError M_NOT_FOUND 404 */
export async function currentVersion(storage: Storage, userId: string): Promise<Version> {
  const range = versionsOf(userId);
  const [keys, rows] = await Promise.all([
    storage.getAllKeys("keyBackups", range, 1),
    storage.getAll("keyBackups", range, 1),
  ]);
  const [key] = keys;
  const [row] = rows;
  if (key === undefined || row === undefined) throw notFound("You have no key backup.");
  return { number: -key[1], row };
}

/**
 * The version, if keys may be put into it.
 * @throws MatrixError M_NOT_FOUND 404; M_WRONG_ROOM_KEYS_VERSION 403 for one that is not the current one
 */
export async function writableVersion(storage: Storage, userId: string, version: string): Promise<Version> {
  const [wanted, current] = await Promise.all([
    versionOf(storage, userId, version),
    currentVersion(storage, userId),
  ]);
  if (wanted.number === current.number) return wanted;
  throw new MatrixError("M_WRONG_ROOM_KEYS_VERSION", 403, "This is not the current version of the backup.", {
    current_version: String(current.number),
  });
}

export function putVersion(write: Write, userId: string, { number, row }: Version): void {
  write.put("keyBackups", row, [userId, -number]);
}

/** All versions of a user: an array sorts after any number. */
export const versionsOf = (userId: string) => IDBKeyRange.bound([userId], [userId, []]);

export const unknownVersion = () => notFound("You have no key backup of this version.");
