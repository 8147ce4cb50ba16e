import { invalidParam } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { type KeyBackupData, replacesKey } from "../../matrix/key-backup.ts";
import { utf8Length } from "../../matrix/utf8.ts";
import type { Answers } from "../node/answers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { JsonBytes, Requester, RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { KeyBackupRow } from "../storage/schema.ts";
import type { BackupInfo, BackupMethod, BackupState, KeyBackup, KeysOf, RoomKeys } from "./api.ts";
import { countKeys, keysAsJson, rangeOfKeys } from "./sessions.ts";
import {
  currentVersion,
  putVersion,
  unknownVersion,
  type Version,
  versionNumber,
  versionOf,
  writableVersion,
} from "./versions.ts";

export type KeyBackupOptions = { storage: Storage; answers: Answers };

const MAX_ID_BYTES = 255;

/** Key backups, in the stores `keyBackups`, `keyBackupVersions` and `keyBackupSessions`. */
export class StoredKeyBackup implements KeyBackup {
  readonly #storage: Storage;
  readonly #answers: Answers;
  /** One user's changes one after the other: each is decided by what is there, and waits until it is on the disk. */
  readonly #lock = new KeyedLock<string>();

  constructor({ storage, answers }: KeyBackupOptions) {
    this.#storage = storage;
    this.#answers = answers;
  }

  create(
    request: RequestId,
    { userId }: Requester,
    { algorithm, auth_data }: BackupMethod,
  ): Promise<{ version: string }> {
    return this.#answers.once(request, (record) =>
      this.#lock.run(userId, async () => {
        const number = ((await this.#storage.get("keyBackupVersions", userId)) ?? 0) + 1;
        const row: KeyBackupRow = { algorithm, authData: JSON.stringify(auth_data), count: 0, etag: 0 };
        return this.#storage.commit((write) => {
          write.put("keyBackupVersions", number, userId);
          putVersion(write, userId, { number, row });
          return record(write, { version: String(number) });
        });
      }),
    );
  }

  async info({ userId }: Requester, version: string | undefined): Promise<BackupInfo> {
    const { number, row } =
      version === undefined
        ? await currentVersion(this.#storage, userId)
        : await versionOf(this.#storage, userId, version);
    return {
      algorithm: row.algorithm,
      auth_data: JSON.parse(row.authData) as JsonObject,
      version: String(number),
      ...stateOf(row),
    };
  }

  async update(
    { userId }: Requester,
    version: string,
    method: BackupMethod & { version?: string | undefined },
  ): Promise<void> {
    if (method.version !== undefined && method.version !== version) {
      throw invalidParam("The version in the body is not the one in the path.");
    }
    await this.#lock.run(userId, async () => {
      const { number, row } = await versionOf(this.#storage, userId, version);
      if (method.algorithm !== row.algorithm) {
        throw invalidParam("The algorithm of a backup cannot be changed: make a new version.");
      }
      const authData = JSON.stringify(method.auth_data);
      await this.#storage.commit((write) => putVersion(write, userId, { number, row: { ...row, authData } }));
    });
  }

  async delete({ userId }: Requester, version: string): Promise<void> {
    const number = versionNumber(version);
    await this.#lock.run(userId, async () => {
      const last = (await this.#storage.get("keyBackupVersions", userId)) ?? 0;
      if (number > last) throw unknownVersion();
      await this.#storage.commit((write) => {
        write.delete("keyBackups", [userId, -number]);
        write.delete("keyBackupSessions", rangeOfKeys(userId, number, {}));
      });
    });
  }

  putKeys({ userId }: Requester, version: string, rooms: RoomKeys): Promise<BackupState> {
    return this.#lock.run(userId, async () => {
      const target = await writableVersion(this.#storage, userId, version);
      const looks = keysIn(rooms).map(async ({ roomId, sessionId, data }) => {
        const key: SessionKey = [userId, target.number, roomId, sessionId];
        return { key, data, present: await this.#storage.get("keyBackupSessions", key) };
      });
      const better = (await Promise.all(looks)).filter(
        ({ data, present }) => present === undefined || replacesKey(data, JSON.parse(present)),
      );
      const added = better.filter(({ present }) => present === undefined).length;
      return this.#change(userId, target, { added, isChange: better.length > 0 }, (write) => {
        for (const { key, data } of better) write.put("keyBackupSessions", JSON.stringify(data), key);
      });
    });
  }

  async keys({ userId }: Requester, version: string, which: KeysOf): Promise<JsonBytes> {
    const { number } = await versionOf(this.#storage, userId, version);
    return keysAsJson(this.#storage, userId, number, which);
  }

  deleteKeys({ userId }: Requester, version: string, which: KeysOf): Promise<BackupState> {
    return this.#lock.run(userId, async () => {
      const target = await versionOf(this.#storage, userId, version);
      const range = rangeOfKeys(userId, target.number, which);
      const gone = await countKeys(this.#storage, range);
      return this.#change(userId, target, { added: -gone, isChange: gone > 0 }, (write) =>
        write.delete("keyBackupSessions", range),
      );
    });
  }

  /** Changes keys and what the version says of them, in one unit. What changes nothing writes nothing. */
  async #change(
    userId: string,
    { number, row }: Version,
    { added, isChange }: { added: number; isChange: boolean },
    fill: (write: Write) => void,
  ): Promise<BackupState> {
    if (!isChange) return stateOf(row);
    const changed = { ...row, count: row.count + added, etag: row.etag + 1 };
    await this.#storage.commit((write) => {
      fill(write);
      putVersion(write, userId, { number, row: changed });
    });
    return stateOf(changed);
  }
}

type SessionKey = [string, number, string, string];

const stateOf = ({ count, etag }: KeyBackupRow): BackupState => ({ count, etag: String(etag) });

/** @throws MatrixError M_INVALID_PARAM 400 */
function keysIn(rooms: RoomKeys): { roomId: string; sessionId: string; data: KeyBackupData }[] {
  return Object.entries(rooms).flatMap(([roomId, sessions]) => {
    checkId(roomId, "room");
    return Object.entries(sessions).map(([sessionId, data]) => {
      checkId(sessionId, "session");
      return { roomId, sessionId, data };
    });
  });
}

function checkId(id: string, of: "room" | "session"): void {
  if (id === "" || utf8Length(id) > MAX_ID_BYTES) {
    throw invalidParam(`The ID of a ${of} has 1 to ${MAX_ID_BYTES} bytes.`);
  }
}
