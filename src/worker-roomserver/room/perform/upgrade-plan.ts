import { MatrixError, tooLarge, unknown } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { roomCreators } from "../../../matrix/room-creators.ts";
import {
  closedPowerLevels,
  dividedAliases,
  replacementCreateContent,
  transferredBan,
  transferredPowerLevels,
  transferredTypes,
} from "../../../matrix/room-upgrade.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import { isChild } from "../../../matrix/space-children.ts";
import { Breath } from "../../node/breathe.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { authForm, type PlannedEvent, type PlannedState, type RoomPlan } from "../plan.ts";
import type { RoomHead } from "../room-head.ts";
import { newRoomId, startRoom } from "./room-start.ts";

/** Bans, and rooms of a space, that go over at most: each is an event to sign, and all are one unit. */
const TRANSFERRED_AT_MOST = 5_000;

/** An upgrade that has been found in order. */
export type UpgradeOrder = {
  rules: RoomVersionRules;
  creator: string;
  /** Further creators, without that one. */
  additional: readonly string[];
  /** The aliases that go over. */
  moved: ReadonlySet<string>;
};

/** The old room's state before anything was planned. */
type Before = {
  create: PlannedState;
  /** What the auth rules go by. */
  levels: JsonObject | undefined;
  aliases: ReturnType<typeof dividedAliases>;
};

/**
 * Plans the end of the old room on `old`, and the room that takes its place.
 * @returns the plan of the new room
 */
export async function planUpgrade(
  parts: RoomParts,
  order: UpgradeOrder,
  old: RoomPlan,
  head: RoomHead,
): Promise<RoomPlan> {
  const before = await stateBefore(order, old);
  const start = await startReplacement(parts, order, old, before);
  await planTransfer(parts, order, { head, before }, start);
  return start.plan;
}

async function stateBefore({ moved }: UpgradeOrder, old: RoomPlan): Promise<Before> {
  const [create, levels, aliases] = await Promise.all([
    old.state("m.room.create", ""),
    old.state("m.room.power_levels", ""),
    old.state("m.room.canonical_alias", ""),
  ]);
  if (create === undefined) throw unknown("The room has no create event: its data is damaged.");
  return {
    create,
    levels: authForm(levels)?.pdu.content,
    aliases: dividedAliases(aliases?.pdu.content ?? {}, moved),
  };
}

/**
 * The tombstone names the new room, whose create event names the tombstone; where the new room's id is the create
 * event's hash that cannot be, and the create event names only the room.
 */
async function startReplacement(
  parts: RoomParts,
  order: UpgradeOrder,
  old: RoomPlan,
  before: Before,
): Promise<{ plan: RoomPlan; ts: number }> {
  const { rules, creator, additional } = order;
  const start = (roomId: string, lastEvent: string) => {
    const predecessor = { roomId: old.roomId, create: before.create.pdu, lastEvent };
    const content = replacementCreateContent(predecessor, { rules, creators: [creator, ...additional] });
    return startRoom(parts, { rules, roomId, sender: creator, content });
  };
  if (rules.roomIdIsCreateHash) {
    const started = await start("", "");
    await planClosing(parts, order, { plan: old, before }, started.plan.roomId);
    return started;
  }
  const roomId = newRoomId(parts, rules);
  const tombstone = await planClosing(parts, order, { plan: old, before }, roomId);
  return start(roomId, tombstone.eventId);
}

/** The tombstone comes last, and is what the upgrade takes: the rest is done where it is allowed. */
async function planClosing(
  parts: RoomParts,
  { creator }: UpgradeOrder,
  { plan, before }: { plan: RoomPlan; before: Before },
  replacement: string,
): Promise<PlannedEvent> {
  const add = (type: string, content: JsonObject) =>
    plan.add({ type, sender: creator, content, stateKey: "", ts: parts.now() });
  const { aliases, levels } = before;
  if (aliases !== undefined) await ifAllowed(add("m.room.canonical_alias", aliases.kept));
  const closed = levels && closedPowerLevels(levels, plan.base.rules);
  if (closed !== undefined) await ifAllowed(add("m.room.power_levels", closed));
  return add("m.room.tombstone", { body: "This room has been replaced", replacement_room: replacement });
}

/**
 * All else of the new room. The power levels come last: until then its creator may do everything, be it that the old
 * room's do not allow it them, or that who is banned stands high there.
 */
async function planTransfer(
  parts: RoomParts,
  order: UpgradeOrder,
  old: { head: RoomHead; before: Before },
  { plan, ts }: { plan: RoomPlan; ts: number },
): Promise<void> {
  const { creator, additional, rules } = order;
  const { head, before } = old;
  const add = (type: string, content: JsonObject, stateKey = "") =>
    plan.add({ type, sender: creator, content, stateKey, ts });

  await add("m.room.member", { ...(await parts.users.memberProfile(creator)), membership: "join" }, creator);
  for (const type of transferredTypes) {
    const content = (await head.state(type, ""))?.pdu.content;
    if (content !== undefined && Object.keys(content).length > 0) await add(type, content);
  }
  if (before.aliases !== undefined) await add("m.room.canonical_alias", before.aliases.taken);

  const many = [...(await spaceChildren(parts, old)), ...(await bans(parts, order, head))];
  const breath = new Breath();
  for (const { type, content, stateKey } of many) {
    await add(type, content, stateKey);
    await breath.take();
  }
  if (before.levels !== undefined) {
    const from = { rules: head.rules, creators: roomCreators(before.create.pdu, head.rules) };
    const to = { rules, creators: [creator, ...additional] };
    await add("m.room.power_levels", transferredPowerLevels(before.levels, from, to));
  }
}

type Transferred = { type: string; stateKey: string; content: JsonObject };

/** A space without its rooms would be no replacement. */
async function spaceChildren(
  parts: RoomParts,
  { head, before }: { head: RoomHead; before: Before },
): Promise<Transferred[]> {
  if (before.create.pdu.content.type !== "m.space") return [];
  const type = await parts.storage.names.find("m.space.child");
  const nids = head.current.entries((of) => of === type);
  requireFew(nids.length, "rooms");
  const children = await parts.events.get(nids);
  return children
    .filter(({ pdu }) => isChild(pdu))
    .map(({ pdu }) => ({ type: pdu.type, stateKey: pdu.state_key ?? "", content: pdu.content }));
}

/** Who was kept out stays out; but for those who are to be creators now. */
async function bans(
  { storage, memberships }: RoomParts,
  { additional }: UpgradeOrder,
  head: RoomHead,
): Promise<Transferred[]> {
  // Those of this room can only be written by who holds its lock, which is the caller; what was is on the disk then.
  await storage.settled();
  const banned = (await memberships.with(head.nid, "ban")).filter((userId) => !additional.includes(userId));
  requireFew(banned.length, "bans");
  const events = await Promise.all(banned.map((userId) => head.state("m.room.member", userId)));
  return events
    .filter((event): event is StoredEvent => event?.pdu.content.membership === "ban")
    .map(({ pdu }) => ({
      type: pdu.type,
      stateKey: pdu.state_key ?? "",
      content: transferredBan(pdu.content),
    }));
}

/** To leave some behind would let in who was banned: rather none goes over than a part. */
function requireFew(count: number, what: string): void {
  if (count <= TRANSFERRED_AT_MOST) return;
  throw tooLarge(`The room has ${count} ${what}: at most ${TRANSFERRED_AT_MOST} can be taken along.`);
}

/** What the auth rules refuse is left out. */
async function ifAllowed(adding: Promise<PlannedEvent>): Promise<void> {
  try {
    await adding;
  } catch (error) {
    if (!(error instanceof MatrixError) || error.errcode !== "M_FORBIDDEN") throw error;
  }
}
