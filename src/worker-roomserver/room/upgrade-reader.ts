import { domainOf } from "../../matrix/domain.ts";
import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import {
  type Succession,
  succeedingDirectChats,
  succeedingPushRules,
  succeedingTags,
} from "../../matrix/room-successor.ts";
import type { PositionedEntry } from "../log/entry.ts";
import { DurableReader } from "../log/reader.ts";
import type { Storage } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";
import type { RoomForReaders, StoredEvent } from "./api.ts";

/** The content to store instead of what is there; undefined where that may stay. */
export type SettingChange = (content: JsonObject | undefined) => JsonObject | undefined;

/** Users' account data, as this writes it. */
export type Settings = {
  inRoom(userId: string, roomId: string, type: string): Promise<JsonObject | undefined>;
  /** @param roomId - null for what is global */
  change(userId: string, roomId: string | null, type: string, change: SettingChange): Promise<void>;
};

type UpgradeReaderOptions = {
  storage: Storage;
  room: Pick<
    RoomForReaders,
    "presentEvents" | "events" | "stateEntry" | "snapshotAt" | "membershipOf" | "nid"
  >;
  serverName: string;
  settings: Settings;
};

/**
 * Follows the log for local users who join the room that took the place of one that they know, and has their tags, direct
 * chats and push rules follow them. That the new room says so is not enough: the old one must name it in its tombstone, as
 * anybody can make a room that claims to succeed another.
 *
 * Costs nothing but for joins; for a join two state entries, and in a room with a predecessor two more.
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */
export class UpgradeReader {
  readonly #options: UpgradeReaderOptions;
  readonly #reader: DurableReader;

  constructor(options: UpgradeReaderOptions) {
    this.#options = options;
    this.#reader = new DurableReader({
      storage: options.storage,
      name: "upgrades",
      handle: async (entries) => {
        const joins = await this.#localJoins(entries);
        for (const join of joins) await this.#follow(join);
        // Stores the offset, so that the next leader does not undo what users have since set.
        return joins.length === 0 ? undefined : () => undefined;
      },
      reset: () => undefined,
    });
  }

  /** Resolves once every join up to the position has been followed. @throws what the storage failed with */
  caughtUp(position: Position): Promise<void> {
    return this.#reader.caughtUp(position);
  }

  close(): void {
    this.#reader.stop();
  }

  async #localJoins(entries: readonly PositionedEntry[]): Promise<StoredEvent[]> {
    const { room, storage, serverName } = this.#options;
    const members = entries.filter(({ topic, user }) => topic === "room" && user !== 0);
    const userIds = await Promise.all(members.map(({ user }) => storage.names.text(user)));
    const local = members.filter((_, i) => domainOf(userIds[i]!) === serverName);
    const events = await room.presentEvents(local.map(({ event }) => event));
    return events.filter((event) => event !== undefined).filter(isEntry);
  }

  async #follow(join: StoredEvent): Promise<void> {
    const userId = join.pdu.state_key!;
    const succession = await this.#successionOf(join, userId);
    if (succession === undefined) return;
    const { settings } = this.#options;
    const tags = await settings.inRoom(userId, succession.from, "m.tag");
    await settings.change(userId, succession.to, "m.tag", (present) => succeedingTags(tags, present));
    await settings.change(userId, null, "m.direct", (chats) => succeedingDirectChats(chats, succession));
    await settings.change(userId, null, "m.push_rules", (rules) => succeedingPushRules(rules, succession));
  }

  async #successionOf(join: StoredEvent, userId: string): Promise<Succession | undefined> {
    const { room, storage } = this.#options;
    const create = await this.#stateContent(join.stateAfter, "m.room.create");
    const predecessor = create?.predecessor;
    if (!isJsonObject(predecessor) || typeof predecessor.room_id !== "string") return undefined;
    const from = predecessor.room_id;
    const old = await room.nid(from);
    if (old === undefined || (await room.membershipOf(userId, old)) === undefined) return undefined;
    const current = await room.snapshotAt(old, storage.position);
    const tombstone = await this.#stateContent(current, "m.room.tombstone");
    return tombstone?.replacement_room === join.roomId ? { from, to: join.roomId } : undefined;
  }

  async #stateContent(snapshot: number, type: string): Promise<JsonObject | undefined> {
    const { room } = this.#options;
    const nid = await room.stateEntry(snapshot, type, "");
    const [event] = nid === undefined ? [] : await room.events([nid]);
    return event?.pdu.content;
  }
}

/** Whether somebody came in who was not in the room just before. What a purge has kept has no state any more. */
function isEntry({ order, pdu, replaced }: StoredEvent): boolean {
  return order !== 0 && pdu.content.membership === "join" && replaced?.content.membership !== "join";
}
