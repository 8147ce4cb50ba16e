import { forbidden, MatrixError, notFound } from "../../matrix/errors.ts";
import { parseRoomAlias, type RoomAlias, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { powerLevels } from "../../matrix/power-levels.ts";
import type { AppServiceNamespaces } from "../appservices/api.ts";
import type { Answers } from "../node/answers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { Nid } from "../storage/schema.ts";
import type { RemoteQuestions, ResolvedAlias } from "./questions/api.ts";
import type { RoomHead, RoomHeads } from "./room-head.ts";

/** Servers that are named for an alias: who joins tries some, and a large room has thousands. */
const SERVERS_NAMED = 50;

/** An alias, and who made it. */
export type HeldAlias = { alias: string; creator: string };

type AliasesOfServices = Pick<AppServiceNamespaces, "checkFree" | "findRoom">;

/** Room aliases, and which rooms are listed in the public directory. */
export class Directory {
  readonly #storage: Storage;
  readonly #answers: Answers;
  readonly #heads: RoomHeads;
  readonly #serverName: string;
  readonly #appServices: AliasesOfServices;
  readonly #questions: Pick<RemoteQuestions, "resolveAlias">;
  readonly #serversIn: (roomId: string) => Promise<readonly string[]>;
  readonly #onHidden: (roomId: string) => Promise<void>;
  readonly #locks = new KeyedLock<string>();

  /** @param parts.onHidden - a room can be found in one way less */
  constructor(parts: {
    storage: Storage;
    answers: Answers;
    heads: RoomHeads;
    serverName: string;
    appServices: AliasesOfServices;
    questions: Pick<RemoteQuestions, "resolveAlias">;
    serversIn: (roomId: string) => Promise<readonly string[]>;
    onHidden: (roomId: string) => Promise<void>;
  }) {
    this.#storage = parts.storage;
    this.#answers = parts.answers;
    this.#heads = parts.heads;
    this.#serverName = parts.serverName;
    this.#appServices = parts.appServices;
    this.#questions = parts.questions;
    this.#serversIn = parts.serversIn;
    this.#onHidden = parts.onHidden;
  }

  /**
   * An alias of this server that is not there may be one that an application service makes when it is asked; that of
   * another, that one knows. Servers in the room are named, this one first where it made the alias.
   * @throws MatrixError M_NOT_FOUND (404), M_INVALID_PARAM (400); M_UNKNOWN (502, 504) where the other is not reached
   */
  async resolve(alias: string): Promise<ResolvedAlias> {
    const parsed = parseRoomAlias(alias);
    const roomId = await this.#roomOf(parsed);
    if (roomId === undefined) {
      if (serverNameOf(parsed) !== this.#serverName) return this.#questions.resolveAlias(parsed);
      throw notFound(`There is no room with the alias ${alias}.`);
    }
    const others = (await this.#serversIn(roomId)).filter((server) => server !== this.#serverName);
    return { room_id: roomId, servers: [this.#serverName, ...others].slice(0, SERVERS_NAMED) };
  }

  async #roomOf(alias: RoomAlias): Promise<string | undefined> {
    const row = await this.#storage.get("aliases", alias);
    if (row !== undefined) return row.roomId;
    await this.#appServices.findRoom(alias);
    return (await this.#storage.get("aliases", alias))?.roomId;
  }

  /**
   * Holds an alias that a room wants to be called by to where it leads.
   * @param elsewhere - where aliases of other servers lead
   * @throws MatrixError M_INVALID_PARAM (400) for what is no alias; M_BAD_ALIAS (400) where it leads elsewhere or nowhere
   * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
   */
  async requireOf(alias: string, roomId: string, elsewhere: ReadonlyMap<string, string>): Promise<void> {
    const row = await this.#storage.get("aliases", parseRoomAlias(alias));
    if ((row?.roomId ?? elsewhere.get(alias)) === roomId) return;
    throw new MatrixError("M_BAD_ALIAS", 400, `The alias ${alias} does not lead to this room.`);
  }

  /**
   * Whether the requester may make or remove an alias of this name, as far as application services are concerned.
   * @throws MatrixError M_EXCLUSIVE (400)
   */
  checkFree(requester: Requester, alias: string): void {
    this.#appServices.checkFree("aliases", alias, requester.appService?.id);
  }

  /**
   * Runs `use` while nobody else can take the alias.
   * @throws MatrixError M_ROOM_IN_USE (400) for a room that is being made
   */
  async claim<T>(alias: string, use: () => Promise<T>): Promise<T> {
    const local = this.#localAlias(alias);
    return this.#locks.run(local, async () => {
      if ((await this.#storage.get("aliases", local)) !== undefined) {
        throw new MatrixError("M_ROOM_IN_USE", 400, `The alias ${alias} belongs to another room.`);
      }
      return use();
    });
  }

  /**
   * Runs `use` with the aliases made here that lead to a room, while nobody else can change them; those that are made
   * meanwhile are not among them. Two reads, and one row each.
   */
  async hold<T>(roomId: string, use: (aliases: HeldAlias[]) => Promise<T>): Promise<T> {
    const { aliases } = await this.of(roomId);
    return this.#locks.runAll(aliases, async () => {
      const rows = await Promise.all(aliases.map((alias) => this.#storage.get("aliases", alias)));
      const held = aliases.map((alias, i) => ({ alias, creator: rows[i]?.creator ?? "" }));
      return use(held.filter((_, i) => rows[i]?.roomId === roomId));
    });
  }

  /** Queues an alias that has been claimed, or is held. */
  put(write: Write, alias: string, roomId: string, creator: string): void {
    write.put("aliases", { roomId, creator }, alias);
  }

  publish(write: Write, room: Nid): void {
    write.put("published", { p: this.#storage.position }, room);
  }

  unpublish(write: Write, room: Nid): void {
    write.delete("published", room);
  }

  async isPublished(room: Nid): Promise<boolean> {
    return (await this.#storage.get("published", room)) !== undefined;
  }

  set(request: RequestId, requester: Requester, alias: string, roomId: string): Promise<JsonObject> {
    return this.#answers.once(request, async (record) => {
      const local = this.#localAlias(alias);
      this.checkFree(requester, local);
      const head = await this.#heads.get(roomId);
      await this.#requireJoined(requester, head);
      return this.#locks.run(local, async () => {
        const row = await this.#storage.get("aliases", local);
        if (row !== undefined) {
          throw new MatrixError("M_UNKNOWN", 409, `The alias ${alias} belongs to a room already.`);
        }
        return this.#storage.commit((write) => {
          this.put(write, local, roomId, requester.userId);
          return record(write, {});
        });
      });
    });
  }

  /** Allowed for who made the alias, for admins, and for those who may set the room's canonical alias. */
  async delete(request: RequestId, requester: Requester, alias: string): Promise<JsonObject> {
    let roomId: string | undefined;
    const answer = await this.#answers.once(request, async (record) => {
      const local = this.#localAlias(alias);
      this.checkFree(requester, local);
      return this.#locks.run(local, async () => {
        const row = await this.#storage.get("aliases", local);
        if (row === undefined) throw notFound(`There is no room with the alias ${alias}.`);
        // Services have full control of the aliases of their namespaces.
        const isServices = requester.appService !== undefined;
        if (row.creator !== requester.userId && !requester.admin && !isServices) {
          const head = await this.#heads.get(row.roomId);
          await this.#requireJoined(requester, head);
          await this.#requireLevel(requester, head, "m.room.canonical_alias");
        }
        roomId = row.roomId;
        return this.#storage.commit((write) => {
          write.delete("aliases", local);
          return record(write, {});
        });
      });
    });
    if (roomId !== undefined) await this.#onHidden(roomId);
    return answer;
  }

  /** Members see a room's local aliases, and so does anybody where history is world readable. */
  async of(roomId: string): Promise<{ aliases: string[] }> {
    await this.#storage.settled();
    const aliases = await this.#storage.read(["aliases"], (tx) =>
      tx.objectStore("aliases").index("room").getAllKeys(roomId),
    );
    return { aliases };
  }

  async visibility(roomId: string): Promise<{ visibility: "public" | "private" }> {
    const head = await this.#heads.get(roomId);
    return { visibility: (await this.isPublished(head.nid)) ? "public" : "private" };
  }

  async setVisibility(requester: Requester, roomId: string, visibility: "public" | "private"): Promise<void> {
    const head = await this.#heads.get(roomId);
    if (!requester.admin) {
      await this.#requireJoined(requester, head);
      await this.#requireLevel(requester, head, "m.room.canonical_alias");
    }
    await this.#storage.commit((write) => {
      if (visibility === "public") this.publish(write, head.nid);
      else this.unpublish(write, head.nid);
    });
    if (visibility === "private") await this.#onHidden(roomId);
  }

  #localAlias(alias: string): RoomAlias {
    const parsed = parseRoomAlias(alias);
    if (serverNameOf(parsed) === this.#serverName) return parsed;
    throw new MatrixError("M_INVALID_PARAM", 400, `Aliases made here end in :${this.#serverName}.`);
  }

  async #requireJoined(requester: Requester, head: RoomHead): Promise<void> {
    const member = await head.state("m.room.member", requester.userId);
    if (member?.pdu.content.membership !== "join") throw forbidden("You are not in the room.");
  }

  async #requireLevel(requester: Requester, head: RoomHead, type: string): Promise<void> {
    const [create, levels] = await Promise.all([
      head.state("m.room.create", ""),
      head.state("m.room.power_levels", ""),
    ]);
    const power = powerLevels(levels?.pdu.content, create?.pdu, head.rules);
    const required = power.requiredFor(type, true);
    if (power.userLevel(requester.userId) >= required) return;
    throw forbidden(`This takes level ${required} in the room.`);
  }
}
