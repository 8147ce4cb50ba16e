import { forbidden, MatrixError, notFound } from "../../matrix/errors.ts";
import { parseRoomId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { userRuleset } from "../../matrix/push-rules/user-rules.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { AccountDataRow, Nid, Position } from "../storage/schema.ts";
import type {
  AccountData,
  AccountDataEvent,
  AccountDataForComponents,
  AccountDataForReaders,
} from "./api.ts";
import { Filters } from "./filters.ts";
import { tagsIn, withoutTag, withTag } from "./tags.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-5 */
const SERVER_TYPES: readonly string[] = ["m.fully_read", "m.push_rules"];
const GLOBAL = 0;

/** Account data in the store `accountData`; `m.fully_read` is written there by the receipts, in their own unit. */
export class StoredAccountData implements AccountData, AccountDataForReaders, AccountDataForComponents {
  readonly #storage: Storage;
  readonly #filters: Filters;
  /** One user's changes one after the other: a tag is a change of what is there. */
  readonly #lock = new KeyedLock<string>();

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#filters = new Filters(storage);
  }

  async set(
    requester: Requester,
    userId: string,
    roomId: string | null,
    type: string,
    content: JsonObject,
  ): Promise<void> {
    requireOwn(requester, userId);
    if (SERVER_TYPES.includes(type)) {
      throw new MatrixError(
        "M_BAD_JSON",
        405,
        `${type} is kept by the server and has an endpoint of its own.`,
      );
    }
    if (roomId !== null) parseRoomId(roomId);
    await this.#lock.run(userId, () => this.#write(userId, roomId, type, content));
  }

  async get(requester: Requester, userId: string, roomId: string | null, type: string): Promise<JsonObject> {
    requireOwn(requester, userId);
    if (roomId !== null) parseRoomId(roomId);
    const content = await this.#read(userId, roomId, type);
    if (type === "m.push_rules" && roomId === null) return { global: userRuleset(userId, content) };
    if (content === undefined) throw notFound(`There is no account data of the type ${type}.`);
    return content;
  }

  async tags(requester: Requester, userId: string, roomId: string): Promise<{ tags: JsonObject }> {
    requireOwn(requester, userId);
    return { tags: tagsIn(await this.#read(userId, parseRoomId(roomId), "m.tag")) };
  }

  async setTag(
    requester: Requester,
    userId: string,
    roomId: string,
    tag: string,
    content: JsonObject,
  ): Promise<void> {
    requireOwn(requester, userId);
    await this.#changeTags(userId, roomId, (present) => withTag(present, tag, content));
  }

  async deleteTag(requester: Requester, userId: string, roomId: string, tag: string): Promise<void> {
    requireOwn(requester, userId);
    await this.#changeTags(userId, roomId, (present) => withoutTag(present, tag));
  }

  async createFilter(
    requester: Requester,
    userId: string,
    filter: JsonObject,
  ): Promise<{ filter_id: string }> {
    requireOwn(requester, userId);
    return { filter_id: await this.#filters.create(userId, filter) };
  }

  async getFilter(requester: Requester, userId: string, filterId: string): Promise<JsonObject> {
    requireOwn(requester, userId);
    return this.filter(userId, filterId);
  }

  async changed(userId: string, after: Position, upTo: Position): Promise<AccountDataEvent[]> {
    const user = await this.#storage.names.find(userId);
    if (user === undefined || after >= upTo) return [];
    const range = IDBKeyRange.bound([user, after], [user, upTo], true, false);
    const rows = await this.#storage.read(["accountData"], (tx) =>
      tx.objectStore("accountData").index("position").getAll(range),
    );
    return Promise.all(rows.map((row) => this.#event(row)));
  }

  stored(userId: string, type: string): Promise<JsonObject | undefined> {
    return this.#read(userId, null, type);
  }

  filter(userId: string, filterId: string): Promise<JsonObject> {
    return this.#filters.get(userId, filterId);
  }

  inRoom(userId: string, roomId: string, type: string): Promise<JsonObject | undefined> {
    return this.#read(userId, roomId, type);
  }

  change(
    userId: string,
    roomId: string | null,
    type: string,
    change: (content: JsonObject | undefined) => JsonObject | undefined,
    alongside?: (write: Write) => void,
  ): Promise<void> {
    return this.#lock.run(userId, async () => {
      const content = change(await this.#read(userId, roomId, type));
      if (content !== undefined) await this.#write(userId, roomId, type, content, alongside);
    });
  }

  /** @param change - undefined when there is nothing to change */
  async #changeTags(
    userId: string,
    roomId: string,
    change: (content: JsonObject | undefined) => JsonObject | undefined,
  ): Promise<void> {
    await this.change(userId, parseRoomId(roomId), "m.tag", change);
  }

  async #read(userId: string, roomId: string | null, type: string): Promise<JsonObject | undefined> {
    const [user, room] = await Promise.all([
      this.#storage.names.find(userId),
      roomId === null ? GLOBAL : this.#storage.names.find(roomId),
    ]);
    if (user === undefined || room === undefined) return undefined;
    const row = await this.#storage.get("accountData", [user, room, type]);
    return row === undefined ? undefined : JSON.parse(row.json);
  }

  async #write(
    userId: string,
    roomId: string | null,
    type: string,
    content: JsonObject,
    alongside?: (write: Write) => void,
  ): Promise<void> {
    const { names } = this.#storage;
    const user = await names.intern(userId);
    const room: Nid = roomId === null ? GLOBAL : await names.intern(roomId);
    const json = JSON.stringify(content);
    await this.#storage.commit((write) => {
      const p = write.append({ topic: "accountData", user, room, detail: type });
      write.put("accountData", { u: user, r: room, type, json, p });
      alongside?.(write);
    });
  }

  async #event(row: AccountDataRow): Promise<AccountDataEvent> {
    const roomId = row.r === GLOBAL ? null : await this.#storage.names.text(row.r);
    return { roomId, type: row.type, content: JSON.parse(row.json), position: row.p };
  }
}

function requireOwn(requester: Requester, userId: string): void {
  if (requester.userId !== userId) throw forbidden("This is another user's data, and only for that user.");
}
