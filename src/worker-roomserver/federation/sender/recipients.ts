import { domainOf } from "../../../matrix/domain.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { isServerName } from "../../../matrix/server-names.ts";
import { PASS_ON, type PositionedEntry } from "../../log/entry.ts";
import type { RoomForReaders, StoredEvent } from "../../room/api.ts";
import type { RoomQueries } from "../../room/query/graph/api.ts";
import type { Storage } from "../../storage/api.ts";
import { JoinedServers } from "./joined-servers.ts";

export type RecipientsOptions = {
  storage: Storage;
  serverName: string;
  room: Pick<RoomForReaders, "snapshotAt" | "usersIn" | "stateChanges" | "stateEntry" | "events">;
  roomQueries: Pick<RoomQueries, "isServerAllowed">;
};

/** Whom this server sends an event to. */
export class Recipients {
  readonly #with: RecipientsOptions;
  readonly #joined: JoinedServers;

  constructor(options: RecipientsOptions) {
    this.#with = options;
    this.#joined = new JoinedServers(options.storage, options.room);
  }

  reset(): void {
    this.#joined.reset();
  }

  /**
   * The servers that are to get an event of a `room` entry from this one: those joined to the room before it, so that who
   * leaves with it is told too, without those that the room's access control list shuts out. Nobody for events of others,
   * unless they came to be passed on. To be asked in the order of the log.
   *
   * What this server's users do in a room that nobody from here is in (a join, the refusal of an invite, a knock) goes by
   * way of a server that is in it, and that one tells the others.
   * @see https://spec.matrix.org/v1.19/server-server-api/#pdus
   */
  async of({ detail }: PositionedEntry, event: StoredEvent): Promise<string[]> {
    const { serverName } = this.#with;
    const sender = domainOf(event.pdu.sender);
    const isOwn = sender === serverName;
    if (!isOwn && detail !== PASS_ON) return [];
    const joined = await this.#joined.at(event.room, event.stateBefore);
    if (isOwn && !joined.has(serverName)) return [];
    const servers = new Set([...joined, ...(await this.#calledOff(event))]);
    servers.delete(serverName);
    // It has made it.
    if (sender !== undefined) servers.delete(sender);
    const allowed = await Promise.all([...servers].map((server) => this.#isAllowed(event, server)));
    return [...servers].filter((_, i) => allowed[i]);
  }

  /** The server of somebody whose invite or knock has just come to nothing, and who may be alone there. */
  async #calledOff({ pdu, stateBefore }: StoredEvent): Promise<string[]> {
    const { type, state_key: target, sender, content } = pdu;
    if (type !== "m.room.member" || target === undefined || target === sender) return [];
    if (content.membership !== "leave" && content.membership !== "ban") return [];
    const nid = await this.#with.room.stateEntry(stateBefore, type, target);
    if (nid === undefined) return [];
    const [before] = await this.#with.room.events([nid]);
    const membership = before?.pdu.content.membership;
    if (membership !== "invite" && membership !== "knock") return [];
    const server = domainOf(target);
    return server === undefined ? [] : [server];
  }

  async #isAllowed({ roomId }: StoredEvent, server: string): Promise<boolean> {
    if (!isServerName(server)) return false;
    try {
      return await this.#with.roomQueries.isServerAllowed(roomId, server);
    } catch (error) {
      // The room has been removed meanwhile.
      if (error instanceof MatrixError && error.status === 404) return false;
      throw error;
    }
  }
}
