import { badJson, invalidParam, MatrixError } from "../../../matrix/errors.ts";
import { parseUserId, serverNameOf, type UserId } from "../../../matrix/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { RecordAnswer } from "../../node/answers.ts";
import { later } from "../../node/later.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { CreateRoomBody } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomPlan } from "../plan.ts";
import { requireTakesInvites } from "./invite-permission.ts";
import { newRoomId, roomOf, startRoom, supportedVersion } from "./room-start.ts";

const elsewhere = later(() => import("./invite-others.ts"));

type Created = { room_id: string };

/**
 * `POST /createRoom`: all of the room's first events, its alias and its place in the directory, in one unit. Invites of
 * users from elsewhere follow; where one of these fails, so does the request, though there is the room.
 * @see https://spec.matrix.org/v1.19/client-server-api/#creation
 */
export function createRoom(
  parts: RoomParts,
  request: RequestId,
  requester: Requester,
  body: CreateRoomBody,
): Promise<Created> {
  return parts.answers.once(request, async (record) => {
    const rules = supportedVersion(body.room_version ?? parts.roomVersion());
    if ((body.invite_3pid?.length ?? 0) > 0) {
      throw new MatrixError(
        "M_THREEPID_DENIED",
        403,
        "Inviting by e-mail or phone needs an identity server.",
      );
    }
    const invitees = await inviteesOf(parts, requester, body);
    const order = { requester, body, rules, invitees };
    const created = await makeRoom(parts, order, record);
    const others = invitees.filter((userId) => !isFromHere(parts, userId));
    if (others.length > 0) {
      await (await elsewhere()).inviteOthers(parts, requester, {
        ...created,
        isDirect: body.is_direct,
        others,
      });
    }
    return created;
  });
}

async function makeRoom(parts: RoomParts, order: RoomOrder, record: RecordAnswer): Promise<Created> {
  const { requester, body } = order;
  if (body.room_alias_name === undefined) return writeRoom(parts, order, undefined, record);
  const alias = `#${aliasLocalpart(body.room_alias_name)}:${parts.author.serverName}`;
  parts.directory.checkFree(requester, alias);
  return parts.directory.claim(alias, () => writeRoom(parts, order, alias, record));
}

/** What a room is to be made of, once the request has been found in order. */
type RoomOrder = { requester: Requester; body: CreateRoomBody; rules: RoomVersionRules; invitees: UserId[] };

async function writeRoom(
  parts: RoomParts,
  order: RoomOrder,
  alias: string | undefined,
  record: RecordAnswer,
): Promise<Created> {
  const plan = await planRoom(parts, order, alias);
  const room = await roomOf(parts, plan);
  const answer = { room_id: plan.roomId };
  await parts.writer.create(room, (write) => {
    if (alias !== undefined) parts.directory.put(write, alias, plan.roomId, order.requester.userId);
    if (order.body.visibility === "public") parts.directory.publish(write, room.head.nid);
    record(write, answer);
  });
  return answer;
}

/** Plans the room's first events, in the order that the specification gives. */
async function planRoom(parts: RoomParts, order: RoomOrder, alias: string | undefined): Promise<RoomPlan> {
  const { requester, body, rules, invitees } = order;
  const sender = requester.userId;
  const content = createContent(sender, body, rules, invitees);
  const { plan, ts } = await startRoom(parts, { rules, roomId: newRoomId(parts, rules), sender, content });
  const add = (type: string, content: JsonObject, stateKey = "") =>
    orInvalidState(plan.add({ type, sender, content, stateKey, ts }));

  await add("m.room.member", { ...(await parts.users.memberProfile(sender)), membership: "join" }, sender);
  await add("m.room.power_levels", powerLevelContent(sender, body, rules, invitees));
  if (alias !== undefined) await add("m.room.canonical_alias", { alias });
  const initial = body.initial_state ?? [];
  for (const [type, content] of presetEvents(body)) {
    // What the client states itself takes the place of the preset's.
    if (!initial.some((event) => event.type === type && (event.state_key ?? "") === ""))
      await add(type, content);
  }
  for (const event of initial) await add(event.type, event.content, event.state_key ?? "");
  if (body.name !== undefined) await add("m.room.name", { name: body.name });
  if (body.topic !== undefined) {
    await add("m.room.topic", { topic: body.topic, "m.topic": { "m.text": [{ body: body.topic }] } });
  }
  // Servers of others sign their invites, which they can only once there is the room.
  for (const invitee of invitees.filter((userId) => isFromHere(parts, userId))) {
    const profile = await parts.users.memberProfile(invitee);
    const content = { ...profile, membership: "invite", ...(body.is_direct && { is_direct: true }) };
    await add("m.room.member", content, invitee);
  }
  return plan;
}

/** What the auth rules refuse here is refused by what the request itself has asked for. */
async function orInvalidState<T>(adding: Promise<T>): Promise<T> {
  try {
    return await adding;
  } catch (error) {
    if (!(error instanceof MatrixError) || error.errcode !== "M_FORBIDDEN") throw error;
    throw new MatrixError("M_INVALID_ROOM_STATE", 400, error.message);
  }
}

async function inviteesOf(parts: RoomParts, requester: Requester, body: CreateRoomBody): Promise<UserId[]> {
  const invitees = [...new Set(body.invite ?? [])].map(parseUserId);
  if (invitees.includes(requester.userId))
    throw invalidParam("The creator of a room cannot be invited to it.");
  for (const invitee of invitees) {
    if (!isFromHere(parts, invitee)) continue;
    await parts.users.findAccount(invitee);
    if (!(await parts.users.isLocalAccount(invitee))) {
      throw new MatrixError("M_NOT_FOUND", 404, `There is no user ${invitee} on this homeserver.`);
    }
    await requireTakesInvites(parts, invitee);
  }
  return invitees;
}

const isFromHere = ({ author }: RoomParts, userId: UserId) => serverNameOf(userId) === author.serverName;

function createContent(
  sender: UserId,
  body: CreateRoomBody,
  rules: RoomVersionRules,
  invitees: UserId[],
): JsonObject {
  const content: JsonObject = { ...body.creation_content, room_version: rules.id };
  if (!rules.creatorIsSender) content.creator = sender;
  if (rules.privilegedCreators && body.preset === "trusted_private_chat" && invitees.length > 0) {
    const named = Array.isArray(content.additional_creators) ? content.additional_creators : [];
    content.additional_creators = [...new Set([...named, ...invitees])];
  }
  return content;
}

function powerLevelContent(
  sender: UserId,
  body: CreateRoomBody,
  rules: RoomVersionRules,
  invitees: UserId[],
): JsonObject {
  const users: JsonObject = {};
  // From v12 on creators stand above all levels, and must not be among them.
  if (!rules.privilegedCreators) {
    users[sender] = 100;
    if (body.preset === "trusted_private_chat") for (const invitee of invitees) users[invitee] = 100;
  }
  const override = body.power_level_content_override ?? {};
  if (!isJsonObject(override)) throw badJson("power_level_content_override is an object.");
  return {
    users,
    users_default: 0,
    events: {
      "m.room.name": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.canonical_alias": 50,
      "m.room.avatar": 50,
      // Closing a room for another is the creators' business where there are such.
      "m.room.tombstone": rules.privilegedCreators ? 150 : 100,
      "m.room.server_acl": 100,
      "m.room.encryption": 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: presetOf(body) === "public_chat" ? 50 : 0,
    ...override,
  };
}

function presetOf(body: CreateRoomBody): NonNullable<CreateRoomBody["preset"]> {
  return body.preset ?? (body.visibility === "public" ? "public_chat" : "private_chat");
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom (the table of presets) */
function presetEvents(body: CreateRoomBody): [type: string, content: JsonObject][] {
  const isPublic = presetOf(body) === "public_chat";
  return [
    ["m.room.join_rules", { join_rule: isPublic ? "public" : "invite" }],
    ["m.room.history_visibility", { history_visibility: "shared" }],
    ["m.room.guest_access", { guest_access: isPublic ? "forbidden" : "can_join" }],
  ];
}

function aliasLocalpart(name: string): string {
  if (name === "" || /[\s:#]/.test(name)) {
    throw invalidParam("room_alias_name is the part of an alias between # and :, without either.");
  }
  return name;
}
