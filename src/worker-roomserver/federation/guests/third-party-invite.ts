import * as v from "valibot";
import { jsonObject } from "../../../door/schemas.ts";
import { domainOf } from "../../../matrix/domain.ts";
import { forbidden, invalidParam } from "../../../matrix/errors.ts";
import { isUserId, parseRoomId, type UserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import type { FederationContext } from "../context.ts";
import { type EntryContext, requireEntry } from "./entry.ts";

export type ThirdPartyContext = EntryContext & Pick<FederationContext, "room" | "serverName">;

const userId = v.custom<UserId>(isUserId, "should be a user ID");

/** A member event as far as the invited user's server can make it. */
export const exchangeBody = v.object({
  type: v.literal("m.room.member"),
  room_id: v.string(),
  sender: userId,
  state_key: userId,
  content: v.looseObject({
    membership: v.literal("invite"),
    third_party_invite: v.object({
      signed: v.looseObject({ mxid: userId, token: v.string(), signatures: jsonObject }),
    }),
  }),
});

/**
 * Makes an invite of what somebody was sent who had no user id then: a user of this server has invited them, and an identity
 * server has signed who they are. Whether with the key that the room names, the auth rules ask. The invite goes on to the
 * invited user's server, as any.
 * @throws MatrixError M_NOT_FOUND (404), M_FORBIDDEN (403), M_INVALID_PARAM (400)
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid
 */
export async function exchangeThirdPartyInvite(
  context: ThirdPartyContext,
  { origin, roomId }: { origin: ServerName; roomId: string },
  body: v.InferOutput<typeof exchangeBody>,
): Promise<JsonObject> {
  const { sender, state_key: target, content } = body;
  if (body.room_id !== parseRoomId(roomId))
    throw invalidParam("The event is of another room than the path says.");
  if (domainOf(sender) !== context.serverName) throw forbidden("The invite was not sent from this server.");
  await requireEntry(context, roomId, origin);
  const { signed } = content.third_party_invite;
  const named = await displayName(context, roomId, signed.token);
  await context.room.changeMembership(
    crypto.randomUUID(),
    { userId: sender, kind: "user", admin: false },
    {
      ...{ roomId, action: "invite", target },
      content: { third_party_invite: { ...named, signed: signed as JsonObject } },
    },
  );
  return {};
}

/** By what name they were invited: the room knows it better than who asks. */
async function displayName(
  { roomQueries }: ThirdPartyContext,
  roomId: string,
  token: string,
): Promise<{ display_name?: string }> {
  const { state } = await roomQueries.latest(roomId, [["m.room.third_party_invite", token]]);
  const name = state[0]?.pdu.content.display_name;
  return typeof name === "string" ? { display_name: name } : {};
}
