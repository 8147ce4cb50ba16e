import type { JsonObject } from "../../matrix/json.ts";
import type { PositionedEntry } from "../log/entry.ts";
import { Breath } from "../node/breathe.ts";
import type { PresenceForReaders } from "../presence/api.ts";
import type { Receipt, ReceiptsForReaders } from "../receipts/api.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { ToDeviceForReaders } from "../to-device/api.ts";
import type { TypingForReaders } from "../typing/api.ts";
import { Ghosts } from "./ghosts.ts";
import type { Service } from "./service.ts";

/** What a service's reader asks of others. */
export type Sources = {
  storage: Storage;
  room: Pick<
    RoomForReaders,
    | "clientEvent"
    | "events"
    | "membershipOf"
    | "presentEvents"
    | "sharingUsers"
    | "snapshotAt"
    | "stateEntry"
    | "usersIn"
  >;
  /** The aliases made here that lead to a room. */
  aliasesOf: (roomId: string) => Promise<readonly string[]>;
  typing: Pick<TypingForReaders, "typists">;
  receipts: Pick<ReceiptsForReaders, "changed">;
  presence: Pick<PresenceForReaders, "changed">;
  toDevice: ToDeviceForReaders;
};

/** A message that was taken out of the queue of a device. */
export type TakenMessage = [userId: string, deviceId: string, position: Position];

/** What a service is to be told of a stretch of the log. */
export type News = {
  events: JsonObject[];
  ephemeral: JsonObject[];
  toDevice: JsonObject[];
  taken: TakenMessage[];
  /** Up to where the log has been gone through. */
  upTo: Position;
};

/** Things of all kinds in one transaction, as the other homeservers have it. */
const MAX_ITEMS = 100;

/** Picks from the log what a service is interested in. */
export class Interest {
  readonly #with: Sources;
  readonly #service: Service;
  readonly #ghosts: Ghosts;

  constructor(sources: Sources, service: Service) {
    this.#with = sources;
    this.#service = service;
    this.#ghosts = new Ghosts(sources.room, service);
  }

  /** Forgets what it has learnt: it is told the log from another place on. */
  reset(): void {
    this.#ghosts.reset();
  }

  /**
   * What there is to be told, until it is enough for a transaction. To be called with the log in its order.
   * Cost: the events of the entries, which are in memory where they are new, and what Ghosts and aliases cost.
   */
  async news(entries: readonly PositionedEntry[]): Promise<News> {
    const { room } = this.#with;
    const inRooms = entries.filter(({ topic }) => topic === "room");
    const events = await room.presentEvents(inRooms.map(({ event }) => event));
    const byPosition = new Map(inRooms.map(({ position }, i) => [position, events[i]]));
    const news: News = { events: [], ephemeral: [], toDevice: [], taken: [], upTo: 0 };
    const breath = new Breath();
    for (const entry of entries) {
      await this.#take(entry, byPosition.get(entry.position), news);
      news.upTo = entry.position;
      if (news.events.length + news.ephemeral.length + news.toDevice.length >= MAX_ITEMS) break;
      await breath.take();
    }
    return news;
  }

  async #take(entry: PositionedEntry, event: StoredEvent | undefined, news: News): Promise<void> {
    const { receiveEphemeral, receiveToDevice } = this.#service.registration;
    switch (entry.topic) {
      case "room":
        if (event !== undefined && (await this.#wantsEvent(event))) news.events.push(this.#shown(event));
        return this.#follow(entry);
      case "state":
        return this.#follow(entry);
      case "purge":
        return this.#ghosts.drop(entry.room);
      case "typing":
        if (receiveEphemeral) await this.#typing(entry, news);
        return;
      case "receipt":
        if (receiveEphemeral) await this.#receipt(entry, news);
        return;
      case "presence":
        if (receiveEphemeral) await this.#presence(entry, news);
        return;
      case "toDevice":
        if (receiveToDevice && entry.user !== 0) await this.#message(entry, news);
        return;
      default:
        return;
    }
  }

  async #wantsEvent(event: StoredEvent): Promise<boolean> {
    const { pdu, room, roomId, order } = event;
    // Soft-failed and rejected events are in no log; what is asked first costs least.
    if (this.#isUser(pdu.sender)) return true;
    if (pdu.type === "m.room.member" && pdu.state_key !== undefined && this.#isUser(pdu.state_key))
      return true;
    const state = () => Promise.resolve(event.stateBefore);
    return this.#wantsRoom({ room, roomId, position: order, state });
  }

  async #wantsRoom(at: Parameters<Ghosts["areIn"]>[0] & { roomId: string }): Promise<boolean> {
    if (this.#service.match("rooms", at.roomId).all) return true;
    if (await this.#ghosts.areIn(at)) return true;
    if (!this.#service.hasAliases) return false;
    const aliases = await this.#with.aliasesOf(at.roomId);
    return aliases.some((alias) => this.#service.match("aliases", alias).all);
  }

  async #follow({ room, user }: PositionedEntry): Promise<void> {
    if (user !== 0) this.#ghosts.changed(room, await this.#with.storage.names.text(user));
  }

  /** The service's own copy of an event: no device of anybody. */
  #shown(event: StoredEvent): JsonObject {
    return this.#with.room.clientEvent(event, { userId: this.#service.sender, deviceId: "" }, "full");
  }

  /** Who types is told as it is now, also by an entry that is older. */
  async #typing({ room, position }: PositionedEntry, { ephemeral }: News): Promise<void> {
    const roomId = await this.#wantedRoom(room, position);
    if (roomId === undefined) return;
    const user_ids = this.#with.typing.typists(room);
    ephemeral.push({ type: "m.typing", room_id: roomId, content: { user_ids } });
  }

  async #receipt({ room, user, position }: PositionedEntry, { ephemeral }: News): Promise<void> {
    const userId = await this.#with.storage.names.text(user);
    // None, where the marker has moved on since: a later entry has it.
    const receipts = await this.#with.receipts.changed(room, userId, position - 1, position);
    const told = receipts.filter(({ type }) => type !== "m.read.private" || this.#isUser(userId));
    if (told.length === 0) return;
    const roomId = await this.#wantedRoom(room, position);
    if (roomId === undefined) return;
    for (const receipt of told) {
      ephemeral.push({ type: "m.receipt", room_id: roomId, content: receiptContent(receipt) });
    }
  }

  async #presence({ user, position }: PositionedEntry, { ephemeral }: News): Promise<void> {
    const { presence, storage, room } = this.#with;
    const userId = await storage.names.text(user);
    const isShared = async () => [...(await room.sharingUsers(userId))].some((other) => this.#isUser(other));
    if (!this.#isUser(userId) && !(await isShared())) return;
    ephemeral.push(...(await presence.changed(new Set([userId]), position - 1, position)));
  }

  async #message({ user, detail: deviceId, position }: PositionedEntry, news: News): Promise<void> {
    const { storage, toDevice } = this.#with;
    const userId = await storage.names.text(user);
    if (!this.#isUser(userId)) return;
    const page = { after: position - 1, upTo: position, limit: 1 };
    const { messages } = await toDevice.messages(userId, deviceId, page);
    for (const { event } of messages) {
      news.toDevice.push({ ...event, to_user_id: userId, to_device_id: deviceId });
      news.taken.push([userId, deviceId, position]);
    }
  }

  async #wantedRoom(room: Nid, position: Position): Promise<string | undefined> {
    const roomId = await this.#with.storage.names.text(room);
    const state = () => this.#with.room.snapshotAt(room, position);
    return (await this.#wantsRoom({ room, roomId, position, state })) ? roomId : undefined;
  }

  #isUser(userId: string): boolean {
    return this.#service.match("users", userId).all;
  }
}

function receiptContent({ eventId, type, userId, ts, thread }: Receipt): JsonObject {
  return { [eventId]: { [type]: { [userId]: thread === "" ? { ts } : { ts, thread_id: thread } } } };
}
