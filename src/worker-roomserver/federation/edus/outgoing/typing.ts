import type { PositionedEntry } from "../../../log/entry.ts";
import type { Storage } from "../../../storage/api.ts";
import type { Nid } from "../../../storage/schema.ts";
import type { TypingForReaders } from "../../../typing/api.ts";
import type { OutgoingEdu } from "../../api.ts";
import type { FederationOptions } from "../../context.ts";
import type { RoomServers } from "../room-servers.ts";

/** Said again after so long of who still types: other servers forget it within a minute. */
const AGAIN_MS = 20_000;

export type TypingSources = Pick<FederationOptions, "now"> & {
  storage: Pick<Storage, "names">;
  typing: Pick<TypingForReaders, "typists">;
  servers: RoomServers;
  isLocal: (userId: string) => boolean;
};

/**
 * Who of this server begins to type or ceases to, found by comparing with what others were told: the log only says that
 * something has changed. What others were told is forgotten with the leader, and by them within a minute.
 * @see https://spec.matrix.org/v1.19/server-server-api/#typing-notifications
 */
export class OutgoingTyping {
  readonly #with: TypingSources;
  /** When others were told that these type, by room. */
  readonly #told = new Map<Nid, Map<string, number>>();

  constructor(sources: TypingSources) {
    this.#with = sources;
  }

  async of({ room }: PositionedEntry): Promise<OutgoingEdu[]> {
    const { servers, storage, typing, isLocal, now } = this.#with;
    const others = await servers.othersIn(room);
    if (others.length === 0) {
      this.#told.delete(room);
      return [];
    }
    const roomId = await storage.names.text(room);
    const typists = typing.typists(room).filter(isLocal);
    const told = this.#told.get(room) ?? new Map<string, number>();
    const edu = (userId: string, isTyping: boolean): OutgoingEdu => ({
      edu: { edu_type: "m.typing", content: { room_id: roomId, user_id: userId, typing: isTyping } },
      servers: others,
      key: `typing/${roomId}/${userId}`,
      durable: false,
    });
    const stopped = [...told.keys()].filter((userId) => !typists.includes(userId));
    const started = typists.filter((userId) => (told.get(userId) ?? 0) <= now() - AGAIN_MS);
    for (const userId of stopped) told.delete(userId);
    for (const userId of started) told.set(userId, now());
    if (told.size > 0) this.#told.set(room, told);
    else this.#told.delete(room);
    return [...stopped.map((userId) => edu(userId, false)), ...started.map((userId) => edu(userId, true))];
  }
}
