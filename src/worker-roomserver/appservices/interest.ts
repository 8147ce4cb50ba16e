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
import { KeyNews, type KeySources, type ServiceDeviceLists, type ServiceKeyCounts } from "./key-news.ts";
import type { Service } from "./service.ts";

/** What a service's reader asks of others. */
export type Sources = KeySources & {
  storage: Storage;
  room: Pick<
    RoomForReaders,
    | "clientEvent"
    | "events"
    | "membershipOf"
    | "membershipsOf"
    | "presentEvents"
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
  deviceLists: ServiceDeviceLists;
  keyCounts: ServiceKeyCounts;
  /** Up to where the log has been gone through. */
  upTo: Position;
};

/** Things of all kinds in one transaction, as the other homeservers have it. */
const MAX_ITEMS = 100;

/** While it is put together: the devices whose keys are to be counted, each once. */
type Draft = Omit<News, "keyCounts"> & { counted: Map<string, [userId: string, deviceId: string]> };

const beginning = (): Draft => ({
  ...{ events: [], ephemeral: [], toDevice: [], taken: [], upTo: 0 },
  deviceLists: { changed: new Set(), left: new Set() },
  counted: new Map(),
});

const itemsOf = ({ events, ephemeral, toDevice, deviceLists, counted }: Draft) =>
  events.length + ephemeral.length + toDevice.length + deviceLists.changed.size + counted.size;

/** Picks from the log what a service is interested in. */
export class Interest {
  readonly #with: Sources;
  readonly #service: Service;
  readonly #ghosts: Ghosts;
  readonly #keys: KeyNews;

  constructor(sources: Sources, service: Service) {
    this.#with = sources;
    this.#service = service;
    this.#ghosts = new Ghosts(sources.room, service);
    this.#keys = new KeyNews(sources, service, this.#ghosts);
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
    const news = beginning();
    const breath = new Breath();
    for (const entry of entries) {
      await this.#take(entry, byPosition.get(entry.position), news);
      news.upTo = entry.position;
      if (itemsOf(news) >= MAX_ITEMS) break;
      await breath.take();
    }
    const { counted, ...told } = news;
    return { ...told, keyCounts: await this.#keys.counts(counted.values()) };
  }

  async #take(entry: PositionedEntry, event: StoredEvent | undefined, news: Draft): Promise<void> {
    const { receiveEphemeral, receiveToDevice } = this.#service.registration;
    switch (entry.topic) {
      case "room":
        if (event !== undefined && (await this.#wantsEvent(event))) news.events.push(this.#shown(event));
        return this.#follow(entry, event, news);
      case "state":
        return this.#follow(entry, undefined, news);
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
      case "deviceList":
        if (receiveToDevice) count(news, await this.#keys.changed(entry, news.deviceLists));
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

  async #follow(entry: PositionedEntry, event: StoredEvent | undefined, news: Draft): Promise<void> {
    const { room, user, position } = entry;
    if (user === 0) return;
    const userId = await this.#with.storage.names.text(user);
    const follow = () => this.#ghosts.changed(room, userId);
    // Of a room that has been purged since, nothing is known.
    const isGone = entry.topic === "room" && event === undefined;
    if (isGone || !this.#service.registration.receiveToDevice) return follow();
    const before = () =>
      event === undefined
        ? this.#with.room.snapshotAt(room, position - 1)
        : Promise.resolve(event.stateBefore);
    await this.#keys.moved({ room, position, state: before }, userId, { event, follow }, news.deviceLists);
  }

  /** The service's own copy of an event: no device of anybody. */
  #shown(event: StoredEvent): JsonObject {
    return this.#with.room.clientEvent(event, { userId: this.#service.sender }, "full");
  }

  /** Who types is told as it is now, also by an entry that is older. */
  async #typing({ room, position }: PositionedEntry, { ephemeral }: Draft): Promise<void> {
    const roomId = await this.#wantedRoom(room, position);
    if (roomId === undefined) return;
    const user_ids = this.#with.typing.typists(room);
    ephemeral.push({ type: "m.typing", room_id: roomId, content: { user_ids } });
  }

  async #receipt({ room, user, position }: PositionedEntry, { ephemeral }: Draft): Promise<void> {
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

  async #presence({ user, position }: PositionedEntry, { ephemeral }: Draft): Promise<void> {
    const { presence, storage } = this.#with;
    const userId = await storage.names.text(user);
    if (!this.#isUser(userId) && !(await this.#ghosts.shareRoomsWith(userId, position))) return;
    ephemeral.push(...(await presence.changed(new Set([userId]), position - 1, position)));
  }

  async #message({ user, detail: deviceId, position }: PositionedEntry, news: Draft): Promise<void> {
    const { storage, toDevice } = this.#with;
    const userId = await storage.names.text(user);
    if (!this.#isUser(userId)) return;
    const page = { after: position - 1, upTo: position, limit: 1 };
    const { messages } = await toDevice.messages(userId, deviceId, page);
    for (const { event } of messages) {
      news.toDevice.push({ ...event, to_user_id: userId, to_device_id: deviceId });
      news.taken.push([userId, deviceId, position]);
      // Whoever begins to write to a device has claimed a key of it: should that have been missed, it is told now.
      count(news, [userId, deviceId]);
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

function count({ counted }: Draft, device: [userId: string, deviceId: string] | undefined): void {
  if (device !== undefined) counted.set(JSON.stringify(device), device);
}

function receiptContent({ eventId, type, userId, ts, thread }: Receipt): JsonObject {
  return { [eventId]: { [type]: { [userId]: thread === "" ? { ts } : { ts, thread_id: thread } } } };
}
