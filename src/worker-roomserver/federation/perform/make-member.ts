import { encodeBase64Url } from "../../../matrix/base64.ts";
import { badJson, MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject } from "../../../matrix/json.ts";
import { memberDraft, type OwnMembership } from "../../../matrix/member-template.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules, roomVersions } from "../../../matrix/room-versions.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { finishEvent } from "../../../matrix/signing.ts";
import type { RemoteStep } from "../../room/remote/api.ts";
import type { FederationContext } from "../context.ts";
import { reading } from "./refusals.ts";

/** Servers take up to some seconds, where they have to resolve the room's state first. */
const MAKE_TIMEOUT_MS = 30_000;
/** The template of one event. */
const MAX_TEMPLATE_BYTES = 256 * 1024;

export type HandshakeContext = Pick<FederationContext, "client" | "now" | "serverName" | "key">;

/** A member event of this server, ready to be handed to a server in the room. */
export type MadeMember = { event: ReceivedEvent; rules: RoomVersionRules };

/**
 * The first half of a handshake: asks a server for a template, and makes the user's event of it.
 * @throws FederationError, UselessAnswer; MatrixError M_UNSUPPORTED_ROOM_VERSION (400)
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 * @see https://spec.matrix.org/v1.19/server-server-api/#knocking-upon-a-room
 * @see https://spec.matrix.org/v1.19/server-server-api/#leaving-rooms-rejecting-invites
 */
export async function makeMember(
  { client, now, serverName, key }: HandshakeContext,
  destination: ServerName,
  membership: OwnMembership,
  { roomId, userId, content }: RemoteStep,
): Promise<MadeMember> {
  const place = `${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}`;
  const { json } = await client.request({
    method: "GET",
    destination,
    uri: `/_matrix/federation/v1/make_${membership}/${place}${versionsFor(membership)}`,
    timeoutMs: MAKE_TIMEOUT_MS,
    maxBytes: MAX_TEMPLATE_BYTES,
    // The user waits, and may know better.
    evenBackedOff: "yes",
  });
  // Servers of before there were several versions do not name one.
  const version = isJsonObject(json) ? (json.room_version ?? "1") : undefined;
  const rules = typeof version === "string" ? roomVersionRules(version) : undefined;
  if (typeof version === "string" && rules === undefined) {
    const why = `The room has the version ${version.slice(0, 40)}, which is not supported here.`;
    throw new MatrixError("M_UNSUPPORTED_ROOM_VERSION", 400, why);
  }
  return reading(destination, async () => {
    if (!isJsonObject(json) || rules === undefined)
      throw badJson("Its template is not of the form it should have.");
    const wish = { roomId, userId, membership, content, ts: now(), eventId: newEventId(serverName) };
    const draft = memberDraft(json.event, wish, rules);
    return { rules, event: await finishEvent(draft, rules, serverName, key) };
  });
}

function versionsFor(membership: OwnMembership): string {
  if (membership === "leave") return "";
  const able = roomVersions.filter((id) => membership === "join" || roomVersionRules(id)?.knocking);
  return `?${able.map((id) => `ver=${id}`).join("&")}`;
}

function newEventId(serverName: string): string {
  return `$${encodeBase64Url(crypto.getRandomValues(new Uint8Array(18)))}:${serverName}`;
}
