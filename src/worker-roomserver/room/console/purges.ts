import { MatrixError } from "../../../matrix/errors.ts";
import type { RoomParts } from "../parts.ts";
import { purgeRoom } from "../purge/purge-room.ts";
import type { PurgeStatus } from "./api.ts";

/** Ends of purges that are remembered, the oldest making room. */
const REMEMBERED = 1_000;

/**
 * Purges that the owner has asked for. Once a room is gone `purges` says what is left to be removed, for every leader;
 * what is before that and after it is known here alone.
 */
export class Purges {
  readonly #parts: RoomParts;
  readonly #asked = new Map<string, PurgeStatus>();

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  async start(roomId: string, how: { leave: boolean }): Promise<PurgeStatus> {
    const now = await this.status(roomId);
    if (now.status === "leaving" || now.status === "removing") return now;
    await this.#parts.heads.get(roomId);
    if (this.#asked.get(roomId)?.status === "leaving") return { status: "leaving" }; // somebody was faster
    this.#set(roomId, { status: "leaving" });
    purgeRoom(this.#parts, roomId, how).then(
      () => this.#set(roomId, { status: "done" }),
      (error: unknown) => this.#set(roomId, { status: "failed", error: sentenceOf(error) }),
    );
    return { status: "leaving" };
  }

  async status(roomId: string): Promise<PurgeStatus> {
    const { storage } = this.#parts;
    const room = await storage.names.find(roomId);
    if (room === undefined) return { status: "none" };
    if ((await storage.get("purges", room)) !== undefined) return { status: "removing" };
    const asked = this.#asked.get(roomId);
    // It may have come back since.
    if (asked?.status === "done" && (await storage.get("rooms", room)) !== undefined)
      return { status: "none" };
    return asked ?? { status: "none" };
  }

  #set(roomId: string, status: PurgeStatus): void {
    this.#asked.delete(roomId);
    this.#asked.set(roomId, status);
    const oldest = this.#asked.keys().next();
    if (this.#asked.size > REMEMBERED && !oldest.done) this.#asked.delete(oldest.value);
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof MatrixError) return error.message;
  console.error("hearth: a room could not be purged", error);
  return "Something went wrong inside this homeserver; its console says more.";
}
