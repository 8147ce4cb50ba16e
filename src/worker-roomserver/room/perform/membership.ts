import type { AuthEvent } from "../../../matrix/auth-rules/auth-event.ts";
import { forbidden, MatrixError, notFound } from "../../../matrix/errors.ts";
import { parseUserId, serverNameOf, type UserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import { LeaderFenced } from "../../storage/errors.ts";
import type { Nid } from "../../storage/schema.ts";
import type { MembershipAction } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomPlan } from "../plan.ts";
import { restrictedJoin } from "../restricted-join.ts";
import { requireTakesInvites } from "./invite-permission.ts";

export type MembershipChange = {
  roomId: string;
  action: MembershipAction;
  target: string;
  reason?: string | undefined;
  content?: JsonObject | undefined;
};

const resulting = {
  join: "join",
  leave: "leave",
  invite: "invite",
  kick: "leave",
  ban: "ban",
  unban: "leave",
  knock: "knock",
} as const;

/** join, leave, invite, kick, ban, unban and knock: what they have in common is one member event. */
export function changeMembership(
  parts: RoomParts,
  request: RequestId,
  requester: Requester,
  change: MembershipChange,
): Promise<{ room_id: string }> {
  return parts.answers.once(request, async (record) => {
    const roomId = change.roomId.startsWith("#")
      ? (await parts.directory.resolve(change.roomId)).room_id
      : change.roomId;
    const target = parseUserId(change.target);
    if (change.action === "invite") {
      await parts.users.findAccount(target);
      await requireReachable(parts, target);
      await requireTakesInvites(parts, target);
    }
    const answer = { room_id: roomId };
    await parts.writer.write(
      roomId,
      async (plan, { nid }) => {
        const member = await plan.state("m.room.member", target);
        if (isDone(change.action, member, requester)) return;
        await requireSense(plan, requester, change.action, member);
        await plan.add({
          type: "m.room.member",
          sender: requester.userId,
          stateKey: target,
          content: await memberContent(parts, { plan, nid }, change, target),
          ts: parts.now(),
        });
      },
      (write) => {
        record(write, answer);
      },
    );
    return answer;
  });
}

/**
 * Brings the member events of a user up to date with their profile, in each room they are joined to. A room that
 * refuses keeps the old one: that is logged, and the others go on.
 * @throws what the storage failed with: then it is to be done again
 */
export async function announceProfile(parts: RoomParts, userId: UserId): Promise<void> {
  const profile = await parts.users.memberProfile(userId);
  const rooms = [...(await parts.memberships.of(userId)).values()].filter(
    ({ membership }) => membership === "join",
  );
  const { storage, writer } = parts;
  const { generation } = storage;
  const outcomes = await Promise.allSettled(
    rooms.map(({ roomId }) =>
      writer.write(roomId, async (plan) => {
        const content = (await plan.state("m.room.member", userId))?.pdu.content;
        if (content?.membership !== "join") return;
        if (content.displayname === profile.displayname && content.avatar_url === profile.avatar_url) return;
        const { displayname: _, avatar_url: __, ...rest } = content;
        await plan.add({
          type: "m.room.member",
          sender: userId,
          stateKey: userId,
          content: { ...rest, ...profile },
          ts: parts.now(),
        });
      }),
    ),
  );
  const refusals = new Map<string, unknown>();
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    if (outcome.reason instanceof LeaderFenced || storage.generation !== generation) throw outcome.reason;
    refusals.set(rooms[i]!.roomId, outcome.reason);
  }
  if (refusals.size > 0) console.error(`hearth: rooms that keep the old profile of ${userId}`, refusals);
}

/** Leaves every room, and declines every invite: for an account that is closed. */
export async function leaveAll(parts: RoomParts, userId: UserId): Promise<void> {
  const rooms = [...(await parts.memberships.of(userId)).values()];
  await Promise.all(
    rooms
      .filter(({ membership }) => membership !== "leave" && membership !== "ban")
      .map(({ roomId }) =>
        parts.writer.write(roomId, async (plan) => {
          await plan.add({
            type: "m.room.member",
            sender: userId,
            stateKey: userId,
            content: { membership: "leave" },
            ts: parts.now(),
          });
        }),
      ),
  );
}

/** Doing it again is no error and makes no event. */
function isDone(action: MembershipAction, member: AuthEvent | undefined, requester: Requester): boolean {
  const membership = member?.pdu.content.membership;
  if (action === "join") return membership === "join";
  if (action === "leave") return membership === "leave" && member?.pdu.sender === requester.userId;
  return action === "knock" && membership === "knock";
}

/** What the auth rules would let pass, or refuse in words that say less. */
async function requireSense(
  plan: RoomPlan,
  requester: Requester,
  action: MembershipAction,
  member: AuthEvent | undefined,
): Promise<void> {
  const membership = member?.pdu.content.membership;
  if (action === "kick" && membership !== "join" && membership !== "invite" && membership !== "knock") {
    throw forbidden("The user is not in the room.");
  }
  if (action === "unban" && membership !== "ban") throw forbidden("The user is not banned from the room.");
  if (action === "join") await requireGuestsWelcome(plan, requester);
}

/** @throws MatrixError M_FORBIDDEN (403) for a guest, where a room is not open to guests */
export async function requireGuestsWelcome(plan: RoomPlan, requester: Requester): Promise<void> {
  if (requester.kind !== "guest") return;
  const access = await plan.state("m.room.guest_access", "");
  if (access?.pdu.content.guest_access !== "can_join") throw forbidden("The room is not open to guests.");
}

/** @throws MatrixError M_NOT_FOUND (404), M_UNKNOWN (502) for a user who cannot be told of an invite */
export async function requireReachable(parts: RoomParts, target: UserId): Promise<void> {
  if (serverNameOf(target) !== parts.author.serverName) {
    throw new MatrixError(
      "M_UNKNOWN",
      502,
      "This homeserver is not connected to others yet: the user cannot be reached.",
    );
  }
  if (!(await parts.users.isLocalAccount(target)))
    throw notFound("There is no such user on this homeserver.");
}

async function memberContent(
  parts: RoomParts,
  { plan, nid }: { plan: RoomPlan; nid: Nid },
  change: MembershipChange,
  target: UserId,
): Promise<JsonObject> {
  const { action } = change;
  const withProfile = action === "join" || action === "knock" || action === "invite";
  const room = { nid, rules: plan.base.rules, state: (type: string, key: string) => plan.state(type, key) };
  const join = action === "join" ? await restrictedJoin(parts, room, target) : undefined;
  return {
    ...change.content,
    ...(withProfile && (await parts.users.memberProfile(target))),
    ...(change.reason !== undefined && { reason: change.reason }),
    ...(join?.outcome === "authorised" && { join_authorised_via_users_server: join.by }),
    membership: resulting[action],
  };
}
