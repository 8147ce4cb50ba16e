import type { AuthEvent } from "../../../matrix/auth-rules/auth-event.ts";
import { forbidden, notFound } from "../../../matrix/errors.ts";
import { parseUserId, serverNameOf, type UserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { later } from "../../node/later.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { Write } from "../../storage/api.ts";
import { LeaderFenced } from "../../storage/errors.ts";
import type { Nid } from "../../storage/schema.ts";
import type { MembershipAction } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomPlan } from "../plan.ts";
import { restrictedJoin } from "../restricted-join.ts";
import { requireTakesInvites } from "./invite-permission.ts";
import type { MemberStep, MembershipChange } from "./member-step.ts";
import { isForOthers } from "./residence.ts";

const elsewhere = later(() => import("./elsewhere.ts"));

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
    const step = await stepOf(parts, change);
    if (step.action === "invite") {
      await parts.users.findAccount(step.target);
      await requireAccount(parts, step.target);
      await requireTakesInvites(parts, step.target);
    }
    const answer = { room_id: step.roomId };
    const here = () => changeHere(parts, requester, step, (write) => record(write, answer));
    if (await isForOthers(parts, step)) {
      const done = async () => {
        await parts.storage.commit((write) => record(write, answer));
      };
      await (await elsewhere()).changeElsewhere(parts, requester, step, { here, done });
    } else await here();
    return answer;
  });
}

async function stepOf(parts: RoomParts, change: MembershipChange): Promise<MemberStep> {
  const target = parseUserId(change.target);
  const named = change.servers ?? [];
  if (!change.roomId.startsWith("#")) return { ...change, target, servers: named };
  const { room_id: roomId, servers } = await parts.directory.resolve(change.roomId);
  return { ...change, roomId, target, servers: [...named, ...servers] };
}

/** The step in a room that is here. */
async function changeHere(
  parts: RoomParts,
  requester: Requester,
  step: MemberStep,
  record: (write: Write) => void,
): Promise<void> {
  const { target } = step;
  await parts.writer.write(
    step.roomId,
    async (plan, { nid }) => {
      const member = await plan.state("m.room.member", target);
      if (isDone(step.action, member, requester)) return;
      await requireSense(plan, requester, step.action, member);
      await plan.add({
        type: "m.room.member",
        sender: requester.userId,
        stateKey: target,
        content: await memberContent(parts, { plan, nid }, step, target),
        ts: parts.now(),
      });
    },
    record,
  );
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
      .map(({ roomId }) => leave(parts, roomId, userId)),
  );
}

async function leave(parts: RoomParts, roomId: string, userId: UserId): Promise<void> {
  // Nobody waits for what other servers say to that.
  if (await parts.outOfBand.endOutOfBand(roomId, userId)) return;
  await parts.writer.write(roomId, async (plan) => {
    await plan.add({
      type: "m.room.member",
      sender: userId,
      stateKey: userId,
      content: { membership: "leave" },
      ts: parts.now(),
    });
  });
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

/**
 * Of users of other servers nothing is known here, and their servers say it.
 * @throws MatrixError M_NOT_FOUND (404)
 */
export async function requireAccount(parts: RoomParts, target: UserId): Promise<void> {
  if (serverNameOf(target) !== parts.author.serverName) return;
  if (!(await parts.users.isLocalAccount(target)))
    throw notFound("There is no such user on this homeserver.");
}

async function memberContent(
  parts: RoomParts,
  { plan, nid }: { plan: RoomPlan; nid: Nid },
  change: MemberStep,
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
