import { encodeBase64 } from "../../../matrix/base64.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import type { RoomParts } from "../parts.ts";
import { type PlanBase, RoomPlan } from "../plan.ts";
import { SnapshotChain } from "../snapshots.ts";
import type { NewRoom } from "../writer.ts";

/*
 * How a room begins, whether it is a new one or takes the place of another.
 */

/** @throws MatrixError M_UNSUPPORTED_ROOM_VERSION (400) for a version that is not known here */
export function supportedVersion(id: string): RoomVersionRules {
  const rules = roomVersionRules(id);
  if (rules !== undefined) return rules;
  throw new MatrixError("M_UNSUPPORTED_ROOM_VERSION", 400, `Room version ${id} is not supported.`);
}

/** An id for a room that is to be made; "" for a version whose create event makes it. */
export function newRoomId(parts: Pick<RoomParts, "author">, rules: RoomVersionRules): string {
  if (rules.roomIdIsCreateHash) return "";
  const random = crypto.getRandomValues(new Uint8Array(15));
  const localpart = encodeBase64(random).replaceAll("+", "-").replaceAll("/", "_");
  return `!${localpart}:${parts.author.serverName}`;
}

/**
 * A plan that has the create event. From v12 on the room's id is that event's hash: rooms that one user makes with
 * the same settings differ only by their time, so no two of them may have the same.
 * @returns with the time of the event
 */
export async function startRoom(
  parts: RoomParts,
  room: { rules: RoomVersionRules; roomId: string; sender: string; content: JsonObject },
): Promise<{ plan: RoomPlan; ts: number }> {
  const { rules, roomId, sender, content } = room;
  for (;;) {
    const ts = parts.creationTime();
    const base: PlanBase = {
      roomId,
      rules,
      extremities: [],
      depth: 0,
      state: () => Promise.resolve(undefined),
    };
    const plan = new RoomPlan(base, parts.author);
    await plan.add({ type: "m.room.create", sender, content, stateKey: "", ts });
    // The clock may have been put back since an earlier start.
    const isTaken = rules.roomIdIsCreateHash && (await parts.storage.names.find(plan.roomId)) !== undefined;
    if (!isTaken) return { plan, ts };
  }
}

/** What a plan that began with `startRoom` makes. */
export async function roomOf(parts: RoomParts, plan: RoomPlan): Promise<NewRoom> {
  const nid = await parts.storage.names.intern(plan.roomId);
  const head = parts.heads.fresh(nid, plan.roomId, plan.base.rules, new SnapshotChain([]));
  return { head, events: plan.events };
}
