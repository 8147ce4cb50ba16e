import { powerLevels } from "../../matrix/power-levels.ts";
import type { PushContext } from "../../matrix/push-rules/conditions.ts";
import { roomVersionRules } from "../../matrix/room-versions.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";

type Rooms = Pick<RoomForReaders, "events" | "stateEntry">;

/** What push conditions ask about one event; what is the same for all users is found once. */
export class EventContext {
  readonly #room: Rooms;
  readonly #event: StoredEvent;
  readonly #memberCount: () => Promise<number>;
  readonly #mayNotify = new Map<string, Promise<boolean>>();

  constructor(room: Rooms, event: StoredEvent, memberCount: () => Promise<number>) {
    this.#room = room;
    this.#event = event;
    this.#memberCount = memberCount;
  }

  for(userId: string): PushContext {
    return {
      displayName: () => this.#displayName(userId),
      memberCount: this.#memberCount,
      senderMayNotify: (key) => {
        const answer = this.#mayNotify.get(key) ?? this.#senderMayNotify(key);
        this.#mayNotify.set(key, answer);
        return answer;
      },
    };
  }

  async #displayName(userId: string): Promise<string | undefined> {
    const name = (await this.#state("m.room.member", userId))?.pdu.content.displayname;
    return typeof name === "string" ? name : undefined;
  }

  async #senderMayNotify(key: string): Promise<boolean> {
    const [create, levels] = await Promise.all([
      this.#state("m.room.create", ""),
      this.#state("m.room.power_levels", ""),
    ]);
    const version = create?.pdu.content.room_version ?? "1";
    const rules = typeof version === "string" ? roomVersionRules(version) : undefined;
    if (rules === undefined) return false;
    const room = powerLevels(levels?.pdu.content, create?.pdu, rules);
    return room.userLevel(this.#event.pdu.sender) >= room.notificationLevel(key);
  }

  async #state(type: string, stateKey: string): Promise<StoredEvent | undefined> {
    const nid = await this.#room.stateEntry(this.#event.stateBefore, type, stateKey);
    return nid === undefined ? undefined : (await this.#room.events([nid]))[0];
  }
}
