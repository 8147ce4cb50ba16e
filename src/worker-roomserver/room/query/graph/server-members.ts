import { domainOf } from "../../../../matrix/domain.ts";
import {
  type EventNid,
  MEMBERSHIPS,
  type Membership,
  type MembershipRow,
  type Nid,
} from "../../../storage/schema.ts";
import type { SnapshotChain } from "../../snapshots.ts";
import type { KnownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** Users of the server that are looked for in a state: of those who are joined, the ones who have been for longest. */
const LOOKED_FOR = 2_000;
/** Users, of whatever server, who left or may come: their names have to be read to know whose they are. */
const NAMES_READ = 10_000;
/** Member events that are read in all. Mostly the first ones tell. */
const EVENTS_READ = 1_000;
const EVENTS_READ_TOGETHER = 100;

/**
 * The users of one server in a room, at whatever time: for a batch of events, whose states have most of their member
 * events in common. Whom it does not look at because there are too many counts as not joined: what a server should have
 * seen it then gets redacted, which does less harm than the other way round.
 */
export class ServerMembers {
  readonly #parts: GraphParts;
  readonly #room: KnownRoom;
  readonly #serverName: string;
  /** What member events say, as far as that is known. */
  readonly #said = new Map<EventNid, string>();
  #eventsLeft = EVENTS_READ;
  readonly #haveIn = new Map<string, Promise<boolean>>();
  #until: Promise<number> | undefined;
  #joined: Promise<Nid[]> | undefined;
  #others: Promise<MembershipRow[]> | undefined;

  constructor(parts: GraphParts, room: KnownRoom, serverName: string) {
    this.#parts = parts;
    this.#room = room;
    this.#serverName = serverName;
  }

  /** Whether any of them is joined in a state. @param orInvited - whether an invite will do as well */
  haveIn(state: SnapshotChain, orInvited: boolean): Promise<boolean> {
    const key = `${state.nid}/${orInvited}`;
    const known = this.#haveIn.get(key) ?? this.#lookIn(state, orInvited ? ["join", "invite"] : ["join"]);
    this.#haveIn.set(key, known);
    return known;
  }

  async #lookIn(state: SnapshotChain, memberships: readonly Membership[]): Promise<boolean> {
    this.#joined ??= this.#readJoined();
    if (await this.#anyOf(await this.#joined, state, memberships)) return true;
    this.#others ??= this.#readOthers();
    const others = (await this.#others).map((row) => row.u);
    return this.#anyOf(others, state, memberships);
  }

  /** The place in the timeline up to which any of them is known to have been joined; infinite if any still is. */
  joinedUntil(): Promise<number> {
    this.#until ??= this.#readUntil();
    return this.#until;
  }

  async #readUntil(): Promise<number> {
    this.#joined ??= this.#readJoined();
    if ((await this.#joined).length > 0) return Number.POSITIVE_INFINITY;
    this.#others ??= this.#readOthers();
    const gone = (await this.#others).filter(
      ({ m }) => MEMBERSHIPS[m] === "leave" || MEMBERSHIPS[m] === "ban",
    );
    const read = await this.#parts.events.get(this.#within(gone.map(({ e }) => e)));
    const left = read.filter(({ replaced }) => replaced?.content.membership === "join");
    return Math.max(Number.NEGATIVE_INFINITY, ...left.map(({ order }) => order));
  }

  /** Goes first by what is known, and reads events only if that does not tell. */
  async #anyOf(
    users: readonly Nid[],
    state: SnapshotChain,
    memberships: readonly Membership[],
  ): Promise<boolean> {
    const type = await this.#parts.storage.names.find("m.room.member");
    if (type === undefined) return false;
    const isOneOf = (nid: EventNid) => memberships.some((membership) => membership === this.#said.get(nid));
    const unknown: EventNid[] = [];
    for (const user of users) {
      const nid = state.entry(type, user);
      if (nid === undefined) continue;
      if (isOneOf(nid)) return true;
      if (!this.#said.has(nid)) unknown.push(nid);
    }
    for (let at = 0; at < unknown.length && this.#eventsLeft > 0; at += EVENTS_READ_TOGETHER) {
      const part = this.#within(unknown.slice(at, at + EVENTS_READ_TOGETHER));
      for (const { nid, pdu } of await this.#parts.events.get(part)) {
        this.#said.set(nid, String(pdu.content.membership));
      }
      if (part.some(isOneOf)) return true;
    }
    return false;
  }

  #within(nids: readonly EventNid[]): EventNid[] {
    const within = nids.slice(0, this.#eventsLeft);
    this.#eventsLeft -= within.length;
    return within;
  }

  /** Those who are joined now; first those whose member event is the oldest, as it is in the most states. */
  async #readJoined(): Promise<Nid[]> {
    const { heads, memberships, storage } = this.#parts;
    const { current } = await heads.get(this.#room.roomId);
    const userIds = [...(await memberships.joined(this.#room.nid))].filter((userId) => this.#isOurs(userId));
    const [type, ...users] = await Promise.all(
      ["m.room.member", ...userIds].map((name) => storage.names.find(name)),
    );
    const joined = users
      .filter((user) => user !== undefined)
      .map((user) => ({ user, event: (type && current.entry(type, user)) ?? 0 }));
    return joined
      .sort((a, b) => a.event - b.event)
      .slice(0, LOOKED_FOR)
      .map(({ user }) => user);
  }

  async #readOthers(): Promise<MembershipRow[]> {
    const { names } = this.#parts.storage;
    const { nid } = this.#room;
    const rows: MembershipRow[] = [];
    for (const [index, membership] of MEMBERSHIPS.entries()) {
      if (membership === "join") continue;
      const range = IDBKeyRange.bound([nid, index], [nid, index, []]);
      const count = NAMES_READ - rows.length;
      if (count <= 0) break;
      rows.push(...(await this.#parts.storage.fromIndex("memberships", "room", range, count)));
    }
    const userIds = await Promise.all(rows.map(({ u }) => names.text(u)));
    return rows.filter((_, i) => this.#isOurs(userIds[i]!)).slice(0, LOOKED_FOR);
  }

  #isOurs(userId: string): boolean {
    return domainOf(userId) === this.#serverName;
  }
}
