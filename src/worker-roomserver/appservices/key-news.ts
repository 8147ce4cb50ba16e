import type { KeyCounts, KeysForReaders } from "../keys/api.ts";
import type { PositionedEntry } from "../log/entry.ts";
import { detailToKeyChange } from "../log/key-changes.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Ghosts, Moment } from "./ghosts.ts";
import type { Service } from "./service.ts";

export type KeySources = {
  storage: Pick<Storage, "names">;
  room: Pick<RoomForReaders, "membershipOf" | "snapshotAt" | "usersIn">;
  keys: Pick<KeysForReaders, "changedLists" | "counts">;
};

/** As sync has it: see DeviceLists there. For the users of a service together. */
export type ServiceDeviceLists = { changed: Set<string>; left: Set<string> };

/** By user and device. */
export type ServiceKeyCounts = {
  oneTimeKeys: Record<string, Record<string, KeyCounts>>;
  unusedFallbacks: Record<string, Record<string, string[]>>;
};

/** Members of a room that the last of a service's users has left: of more, none is looked at, and all stay known. */
const MOST_LEFT = 1_000;

/**
 * What the users of a service have to know of keys, their own and those of others, to encrypt as clients do. A service is
 * told of all its users at once, so somebody is new to it when they share a room with the first of them, and left when
 * they share none with any. Who may have changed is named, and may be named once more: it is looked up anew then.
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3202
 */
export class KeyNews {
  readonly #with: KeySources;
  readonly #service: Service;
  readonly #ghosts: Ghosts;

  constructor(sources: KeySources, service: Service, ghosts: Ghosts) {
    this.#with = sources;
    this.#service = service;
    this.#ghosts = ghosts;
  }

  /**
   * An entry `deviceList`.
   * @returns the device whose keys are fewer now, if it is the service's
   */
  async changed(
    { user, detail, position }: PositionedEntry,
    lists: ServiceDeviceLists,
  ): Promise<[userId: string, deviceId: string] | undefined> {
    const userId = await this.#with.storage.names.text(user);
    const { what, deviceId } = detailToKeyChange(detail);
    if (what === "claimed") return this.#isOurs(userId) ? [userId, deviceId] : undefined;
    if (what !== "own") {
      if (await this.#isKnown(userId, position)) name(lists, userId);
      return undefined;
    }
    if (!this.#isOurs(userId)) return undefined;
    const about = (await this.#with.keys.changedLists(userId, position - 1)) ?? [userId];
    for (const other of about) if (await this.#isKnown(other, position)) name(lists, other);
    return undefined;
  }

  /**
   * Somebody has come to a room or gone from it.
   * @param before - the room before that
   * @param event - undefined for one that others' events have moved
   * @param follow - tells Ghosts of it
   */
  async moved(
    before: Moment,
    userId: string,
    { event, follow }: { event: StoredEvent | undefined; follow: () => void },
    lists: ServiceDeviceLists,
  ): Promise<void> {
    const { room, position } = before;
    const wasIn = event?.replaced?.content.membership === "join";
    const isIn = event === undefined ? undefined : event.pdu.content.membership === "join";
    if (event !== undefined && wasIn === isIn) return follow();
    const wereThere = await this.#ghosts.areIn(before);
    follow();
    const isJoin = isIn ?? (await this.#with.room.membershipOf(userId, room))?.membership === "join";
    if (this.#isOurs(userId)) {
      if (isJoin === wereThere) return; // another one is there, or was not there either
      const members = await this.#with.room.usersIn(room, "join");
      if (isJoin) for (const member of members.filter((other) => !this.#isOurs(other))) name(lists, member);
      else if (members.length <= MOST_LEFT) await this.#leave(members, position, lists);
    } else if (wereThere) {
      if (isJoin) name(lists, userId);
      else await this.#leave([userId], position, lists);
    }
  }

  /** As they are now: what is told of keys is not how they were once. */
  async counts(devices: Iterable<[userId: string, deviceId: string]>): Promise<ServiceKeyCounts> {
    const found: ServiceKeyCounts = { oneTimeKeys: {}, unusedFallbacks: {} };
    for (const [userId, deviceId] of devices) {
      const { oneTimeKeys, unusedFallbacks } = await this.#with.keys.counts(userId, deviceId);
      found.oneTimeKeys[userId] = { ...found.oneTimeKeys[userId], [deviceId]: oneTimeKeys };
      found.unusedFallbacks[userId] = { ...found.unusedFallbacks[userId], [deviceId]: unusedFallbacks };
    }
    return found;
  }

  async #leave(members: readonly string[], position: number, lists: ServiceDeviceLists): Promise<void> {
    for (const member of members) {
      if (await this.#isKnown(member, position)) continue;
      lists.changed.delete(member);
      lists.left.add(member);
    }
  }

  async #isKnown(userId: string, position: number): Promise<boolean> {
    return this.#isOurs(userId) || (await this.#ghosts.shareRoomsWith(userId, position));
  }

  #isOurs(userId: string): boolean {
    return this.#service.match("users", userId).all;
  }
}

function name({ changed, left }: ServiceDeviceLists, userId: string): void {
  left.delete(userId);
  changed.add(userId);
}
