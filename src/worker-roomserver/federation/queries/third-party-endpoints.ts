import * as v from "valibot";
import { jsonObject } from "../../../door/schemas.ts";
import { MatrixError, notFound } from "../../../matrix/errors.ts";
import { isRoomId, isUserId, type RoomId, serverNameOf, type UserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { FederationError } from "../api.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint } from "../door/endpoint.ts";

/** Nobody has to prove who they are to call this, and each invite is a request to somebody. */
const MOST_INVITES = 20;
const TIMEOUT_MS = 10_000;

const userId = v.custom<UserId>(isUserId, "should be a user ID");

const invite = v.object({
  room_id: v.custom<RoomId>(isRoomId, "should be a room ID"),
  sender: userId,
  signed: jsonObject,
});

type Invite = v.InferOutput<typeof invite>;
type Context = Pick<FederationContext, "client" | "room" | "serverName" | "users">;

/** What an identity server tells: an address that somebody was invited by belongs to a user of this server. */
export function thirdPartyEndpoints(context: Context): Endpoint[] {
  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind */
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/3pid/onbind",
        auth: "none",
        body: v.object({
          mxid: userId,
          invites: v.optional(v.pipe(v.array(invite), v.maxLength(MOST_INVITES, "are too many")), []),
        }),
      },
      async ({ body: { mxid, invites } }) => {
        if (!(await context.users.isLocalAccount(mxid))) throw notFound("There is no such user here.");
        await Promise.all(invites.map((each) => exchange(context, mxid, each)));
        return {};
      },
    ),
  ];
}

/** Has the server of who invited make an invite of it. That it will not is for it to say, and no matter to who tells. */
async function exchange(
  { client, room, serverName }: Context,
  mxid: UserId,
  { room_id: roomId, sender, signed }: Invite,
): Promise<void> {
  const content: JsonObject = { membership: "invite", third_party_invite: { signed } };
  const destination = serverNameOf(sender);
  try {
    if (destination === serverName) {
      const requester = { userId: sender, kind: "user" as const, admin: false };
      const change = { roomId, action: "invite" as const, target: mxid, content };
      await room.changeMembership(crypto.randomUUID(), requester, change);
      return;
    }
    await client.request({
      ...{ method: "PUT", destination, timeoutMs: TIMEOUT_MS },
      uri: `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`,
      content: { type: "m.room.member", room_id: roomId, sender, state_key: mxid, content },
    });
  } catch (error) {
    if (!(error instanceof FederationError || error instanceof MatrixError)) throw error;
  }
}
