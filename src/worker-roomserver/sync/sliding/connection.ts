import { MatrixError } from "../../../matrix/errors.ts";
import type { Requester } from "../../node/requester.ts";
import { Lru } from "../../storage/lru.ts";
import type { Membership, Nid, Position } from "../../storage/schema.ts";
import type { RequiredState } from "./required-state.ts";

/** What a client has been told of a room on a connection. */
export type SentRoom = {
  /** Up to where; undefined: as far as the connection is. */
  upTo: Position | undefined;
  /** The user's, as it was told. */
  membership: Membership;
  timelineLimit: number;
  /** The state that was asked for, and a name for it that is the same for the same state. */
  state: RequiredState;
  stateKey: string;
  /** Members that came because the timeline has events of theirs, and have not changed since. */
  lazyMembers: ReadonlySet<string>;
  isDirect: boolean;
};

/** What a client knows when it has read an answer. Never changed once it is made. */
export type Told = {
  upTo: Position;
  rooms: ReadonlyMap<Nid, SentRoom>;
};

/** Connections of one device; past them, the one that was used longest ago is forgotten. */
const CONNECTIONS_OF_A_DEVICE = 16;
/** Rooms that all connections together may remember: some 300 bytes each. */
const ROOMS_REMEMBERED = 100_000;

type Connection = {
  /** What the client had read when it last asked, and what it has read if it got the last answer. */
  told: Map<string, Told>;
  /** Ends the wait of the request that is under way. */
  supersede: () => void;
};

/**
 * Where each connection stands. In memory alone: a client whose connection is forgotten is told so, begins anew, and has
 * its first window with the next answer.
 */
export class Connections {
  readonly #connections = new Lru<string, Connection>(ROOMS_REMEMBERED, weightOf);

  /**
   * What the client of a request knows.
   * @param supersede - ends the wait of this request when the next one of its connection comes
   * @returns undefined `told` for a connection that begins
   * @throws MatrixError M_UNKNOWN_POS
   */
  begin(
    requester: Requester,
    connId: string,
    pos: string | undefined,
    supersede: () => void,
  ): Told | undefined {
    const key = keyOf(requester, connId);
    const known = this.#connections.get(key);
    known?.supersede();
    if (pos === undefined) {
      this.#forgetOldest(requester, key);
      this.#connections.set(key, { told: new Map(), supersede });
      return undefined;
    }
    const told = known?.told.get(pos);
    if (known === undefined || told === undefined) {
      throw new MatrixError(
        "M_UNKNOWN_POS",
        400,
        'This "pos" is not known (any more): please begin a new connection, without one.',
      );
    }
    // The client has read this answer, so that it will not go back behind it.
    this.#connections.set(key, { told: new Map([[pos, told]]), supersede });
    return told;
  }

  /** @returns the `pos` of an answer after which the client knows `told` */
  answered(requester: Requester, connId: string, asked: string | undefined, told: Told): string {
    const key = keyOf(requester, connId);
    const connection = this.#connections.get(key);
    const pos = `s${told.upTo}_${crypto.randomUUID()}`;
    if (connection === undefined) return pos; // forgotten in the meantime: the next request will be told so
    const base = asked === undefined ? undefined : connection.told.get(asked);
    const kept: [string, Told][] = asked === undefined || base === undefined ? [] : [[asked, base]];
    // Set anew, as its weight has changed.
    this.#connections.set(key, { ...connection, told: new Map([...kept, [pos, told]]) });
    return pos;
  }

  #forgetOldest(requester: Requester, key: string): void {
    const prefix = keyOf(requester, "");
    const others = this.#connections.keys().filter((other) => other !== key && other.startsWith(prefix));
    for (const oldest of others.slice(0, Math.max(0, others.length - CONNECTIONS_OF_A_DEVICE + 1))) {
      this.#connections.delete(oldest);
    }
  }
}

const keyOf = ({ userId, deviceId }: Requester, connId: string) => `${userId}\n${deviceId}\n${connId}`;

function weightOf({ told }: Connection): number {
  return [...told.values()].reduce((sum, { rooms }) => sum + rooms.size, 1);
}
