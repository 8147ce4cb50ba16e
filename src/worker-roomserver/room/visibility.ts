import type { Pdu } from "../../matrix/pdu.ts";
import { redact } from "../../matrix/redaction.ts";
import { roomVersionRules } from "../../matrix/room-versions.ts";
import type { Storage } from "../storage/api.ts";
import { MEMBERSHIPS, type Membership, type SnapshotNid } from "../storage/schema.ts";
import type { UsersForComponents } from "../users/api.ts";
import type { StoredEvent } from "./api.ts";
import type { EventStore } from "./event-store.ts";
import type { Memberships } from "./memberships.ts";
import { MERGE_EVENT } from "./merge-event.ts";
import type { SnapshotStore } from "./snapshots.ts";

type Standing = { membership: Membership; visibility: string };

/**
 * Who may see what, by the room's history visibility when the event was sent.
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export class Visibility {
  readonly #storage: Storage;
  readonly #events: EventStore;
  readonly #snapshots: SnapshotStore;
  readonly #memberships: Memberships;
  readonly #users: Pick<UsersForComponents, "erasedSince">;

  constructor(parts: {
    storage: Storage;
    events: EventStore;
    snapshots: SnapshotStore;
    memberships: Memberships;
    users: Pick<UsersForComponents, "erasedSince">;
  }) {
    this.#storage = parts.storage;
    this.#events = parts.events;
    this.#snapshots = parts.snapshots;
    this.#memberships = parts.memberships;
    this.#users = parts.users;
  }

  /**
   * Leaves out what the user may not see, and what says nothing to anybody. Events of one room. Of who had their content
   * erased, whoever was in the room neither at the event nor at the erasure gets redacted copies.
   */
  async visibleTo(userId: string, all: readonly StoredEvent[]): Promise<StoredEvent[]> {
    const events = all.filter(saysSomething);
    const first = events[0];
    if (first === undefined) return [];
    const info = (await this.#memberships.of(userId)).get(first.room);
    // Joined without a break since before: the common case, which needs no look at old states.
    const joinedSince = info?.membership === "join" ? info.since : Number.POSITIVE_INFINITY;
    if (events.every((event) => event.order >= joinedSince)) return events;

    const joinedUntil = await this.#joinedUntil(userId, first);
    const standings = new Map<SnapshotNid, Promise<Standing>>();
    const standingBefore = (event: StoredEvent) => {
      const known = standings.get(event.stateBefore);
      if (known !== undefined) return known;
      const standing = this.#standing(userId, event.stateBefore);
      standings.set(event.stateBefore, standing);
      return standing;
    };
    const verdicts = await Promise.all(
      events.map(async (event) => {
        if (event.order >= joinedSince) return true;
        const before = await standingBefore(event);
        return (
          isVisible(before, event, joinedUntil) || isVisible(after(before, event, userId), event, joinedUntil)
        );
      }),
    );
    const visible = events.filter((_, i) => verdicts[i]);
    return this.#withErasures(visible, async (event, erasedAt) => {
      if (event.order >= joinedSince || joinedSince <= erasedAt) return true;
      return (await standingBefore(event)).membership === "join";
    });
  }

  /** @param hadSeen - whether the user had got to see the event by when its sender was erased */
  async #withErasures(
    events: StoredEvent[],
    hadSeen: (event: StoredEvent, erasedAt: number) => Promise<boolean>,
  ): Promise<StoredEvent[]> {
    const erasures = events.map(({ pdu }) => this.#users.erasedSince(pdu.sender));
    const first = erasures.findIndex((erasedAt) => erasedAt !== undefined);
    if (first === -1) return events;
    const row = await this.#storage.get("rooms", events[first]!.room);
    const rules = row && roomVersionRules(row.version);
    return Promise.all(
      events.map(async (event, i) => {
        const erasedAt = erasures[i];
        if (erasedAt === undefined || rules === undefined || (await hadSeen(event, erasedAt))) return event;
        return { ...event, pdu: redact(event.pdu, rules) as Pdu };
      }),
    );
  }

  /**
   * The user's membership at each of the events, with what the event itself changed. Nothing is read for who has been
   * joined since before; else an entry for each state met. Events of one room.
   * @see https://spec.matrix.org/v1.19/client-server-api/#room-event-format (`unsigned.membership`)
   */
  async membershipsAt(userId: string, events: readonly StoredEvent[]): Promise<Membership[]> {
    const first = events[0];
    if (first === undefined) return [];
    const info = (await this.#memberships.of(userId)).get(first.room);
    const joinedSince = info?.membership === "join" ? info.since : Number.POSITIVE_INFINITY;
    const before = new Map<SnapshotNid, Promise<Membership>>();
    const membershipBefore = ({ stateBefore }: StoredEvent) => {
      const membership = before.get(stateBefore) ?? this.#membershipIn(stateBefore, userId);
      before.set(stateBefore, membership);
      return membership;
    };
    return Promise.all(
      events.map((event) => {
        if (event.order >= joinedSince) return "join";
        return isOwnMember(event, userId) ? membershipOf(event) : membershipBefore(event);
      }),
    );
  }

  /** Whether anybody, joined or not, may read the room as it is now. */
  async isWorldReadable(current: SnapshotNid): Promise<boolean> {
    return (await this.#visibilityIn(current)) === "world_readable";
  }

  /** The order up to which the user is known to have been joined: what came before it was shared with them. */
  async #joinedUntil(userId: string, { room }: StoredEvent): Promise<number> {
    const info = (await this.#memberships.of(userId)).get(room);
    if (info === undefined) return Number.NEGATIVE_INFINITY;
    if (info.membership === "join") return Number.POSITIVE_INFINITY;
    const last = await this.#events.getOne(info.event);
    const before = await this.#standing(userId, last.stateBefore);
    return before.membership === "join" ? last.order : Number.NEGATIVE_INFINITY;
  }

  async #standing(userId: string, snapshot: SnapshotNid): Promise<Standing> {
    const [visibility, membership] = await Promise.all([
      this.#visibilityIn(snapshot),
      this.#membershipIn(snapshot, userId),
    ]);
    return { membership, visibility };
  }

  async #membershipIn(snapshot: SnapshotNid, userId: string): Promise<Membership> {
    return membershipOf(await this.#entry(snapshot, "m.room.member", userId));
  }

  async #visibilityIn(snapshot: SnapshotNid): Promise<string> {
    const event = await this.#entry(snapshot, "m.room.history_visibility", "");
    return visibilityOf(event);
  }

  async #entry(snapshot: SnapshotNid, type: string, stateKey: string): Promise<StoredEvent | undefined> {
    const { names } = this.#storage;
    const [typeNid, keyNid] = await Promise.all([names.find(type), names.find(stateKey)]);
    if (typeNid === undefined || keyNid === undefined) return undefined;
    const nid = (await this.#snapshots.chain(snapshot)).entry(typeNid, keyNid);
    return nid === undefined ? undefined : this.#events.getOne(nid);
  }
}

const saysSomething = ({ pdu }: StoredEvent) => pdu.type !== MERGE_EVENT || pdu.state_key !== undefined;

/** What a history visibility event says. A missing or odd setting counts as `shared`. */
export function visibilityOf(event: StoredEvent | undefined): string {
  const value = event?.pdu.content.history_visibility;
  return value === "world_readable" || value === "invited" || value === "joined" ? value : "shared";
}

/** The user's own membership events and changes of the setting count by what is more open, before or after. */
function after(before: Standing, event: StoredEvent, userId: string): Standing {
  const { pdu } = event;
  if (pdu.type === "m.room.history_visibility" && pdu.state_key === "") {
    return { ...before, visibility: visibilityOf(event) };
  }
  if (isOwnMember(event, userId)) return { ...before, membership: membershipOf(event) };
  return before;
}

const isOwnMember = ({ pdu }: StoredEvent, userId: string) =>
  pdu.type === "m.room.member" && pdu.state_key === userId;

/** Who has no membership, or an odd one, is not in the room. */
function membershipOf(member: StoredEvent | undefined): Membership {
  const membership = member?.pdu.content.membership as Membership;
  return MEMBERSHIPS.includes(membership) ? membership : "leave";
}

function isVisible({ membership, visibility }: Standing, event: StoredEvent, joinedUntil: number): boolean {
  if (visibility === "world_readable" || membership === "join") return true;
  if (visibility === "shared" && event.order <= joinedUntil) return true;
  return visibility === "invited" && membership === "invite";
}
