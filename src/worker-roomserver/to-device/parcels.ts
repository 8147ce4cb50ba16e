import type { ServerName } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { MessagesByUser } from "./api.ts";

/**
 * Weight of what goes into one EDU, unless one message alone has more: a transaction takes a hundred EDUs, and servers
 * refuse transactions of much more than ten megabytes.
 */
const MAX_PARCEL_WEIGHT = 64 * 1024;

/** `messages` of one EDU. */
export type Parcel = { server: ServerName; messages: MessagesByUser };

/** What belongs together: the contents for devices of one user. */
export type Piece = { userId: string; contents: readonly [deviceId: string, JsonObject][]; weight: number };

/** Puts what goes to other servers into EDUs, in the order in which it comes. */
export class Parcels {
  readonly #all: { server: ServerName; pieces: Piece[] }[] = [];
  /** The one of each server that is not full yet. */
  readonly #open = new Map<ServerName, { pieces: Piece[]; weight: number }>();

  add(server: ServerName, piece: Piece): void {
    let open = this.#open.get(server);
    if (open === undefined || open.weight + piece.weight > MAX_PARCEL_WEIGHT) {
      open = { pieces: [], weight: 0 };
      this.#open.set(server, open);
      this.#all.push({ server, pieces: open.pieces });
    }
    open.pieces.push(piece);
    open.weight += piece.weight;
  }

  all(): Parcel[] {
    return this.#all.map(({ server, pieces }) => {
      const users = new Map<string, [string, JsonObject][]>();
      for (const { userId, contents } of pieces) {
        users.set(userId, [...(users.get(userId) ?? []), ...contents]);
      }
      const named = [...users].map(([userId, contents]) => [userId, Object.fromEntries(contents)] as const);
      return { server, messages: Object.fromEntries(named) };
    });
  }
}
