import type { JsonObject } from "../../matrix/json.ts";
import type { KeyBackupData } from "../../matrix/key-backup.ts";
import type { JsonBytes, Requester, RequestId } from "../node/requester.ts";

/** How keys are encrypted; the server does not look into it. */
export type BackupMethod = { algorithm: string; auth_data: JsonObject };

export type BackupInfo = BackupMethod & { version: string; count: number; etag: string };

/** What a backup holds after a change. */
export type BackupState = { count: number; etag: string };

/** Keys by session id, by room id. */
export type RoomKeys = Record<string, Record<string, KeyBackupData>>;

/** All keys, a room's, or one. */
export type KeysOf = { roomId?: string | undefined; sessionId?: string | undefined };

/**
 * Backups of room keys: versions of a user, each with keys by room and session. Versions are numbers as strings, none is
 * given out twice, and the highest that is there is the current one.
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups
 */
export interface KeyBackup {
  /** A new version, which is then the current one. Two rows. */
  create(request: RequestId, requester: Requester, method: BackupMethod): Promise<{ version: string }>;
  /** @param version - undefined: the current one. One row. @throws MatrixError M_NOT_FOUND 404 */
  info(requester: Requester, version: string | undefined): Promise<BackupInfo>;
  /**
   * Changes `auth_data`, and nothing else. One row.
   * @throws MatrixError M_NOT_FOUND 404; M_INVALID_PARAM 400 for another algorithm, or another version in the body
   */
  update(
    requester: Requester,
    version: string,
    method: BackupMethod & { version?: string | undefined },
  ): Promise<void>;
  /**
   * Removes a version with its keys, as one range however many they are. One that was removed before is no error.
   * @throws MatrixError M_NOT_FOUND 404 for one that never was
   */
  delete(requester: Requester, version: string): Promise<void>;
  /**
   * Stores keys of the current version in one unit. Of two keys of a session the better one stays (`replacesKey`).
   * Reads and writes a row for each key.
   * @throws MatrixError M_NOT_FOUND 404; M_WRONG_ROOM_KEYS_VERSION 403 with `current_version`; M_INVALID_PARAM 400 for
   *   an id of more than 255 bytes
   */
  putKeys(requester: Requester, version: string, rooms: RoomKeys): Promise<BackupState>;
  /**
   * The keys as JSON: `{rooms}`, `{sessions}` or a key's data. One range, read in pages; an answer as large as they are.
   * @throws MatrixError M_NOT_FOUND 404 for the version, and for one key that is not there
   */
  keys(requester: Requester, version: string, which: KeysOf): Promise<JsonBytes>;
  /**
   * Removes keys, also of a version that is not the current one; keys that are not there are no error. One range; what
   * is in it is counted.
   * @throws MatrixError M_NOT_FOUND 404
   */
  deleteKeys(requester: Requester, version: string, which: KeysOf): Promise<BackupState>;
}
