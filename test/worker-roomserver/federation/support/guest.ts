import { bodyOf, readBody } from "../../../../src/link/bodies.ts";
import { authTypesFor } from "../../../../src/matrix/auth-events.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { type EventDraft, finishEvent } from "../../../../src/matrix/signing.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import { authorizationFor } from "../../../../src/matrix/x-matrix.ts";
import type { OpenNode } from "../../../../src/worker-roomserver/node/node.ts";
import type { NamedServer } from "./named-server.ts";

export type Asked = { status: number; type: string; text: string; body: JsonObject };

export type GuestEvent = {
  type: string;
  sender: string;
  content: JsonObject;
  state_key?: string;
  origin_server_ts?: number;
};

/** Puts a question to a node in the name of another server. */
export async function askAs(
  { serverName, key }: NamedServer,
  node: OpenNode,
  uri: string,
  content?: JsonObject,
  method = content === undefined ? "GET" : "POST",
): Promise<Asked> {
  const destination = (await node.info()).serverName;
  const authorization = await authorizationFor(
    { method, uri, origin: serverName, destination, content },
    key,
  );
  return askOpenly(node, uri, content, method, [["authorization", authorization]]);
}

/** The same without saying who asks. */
export async function askOpenly(
  node: OpenNode,
  uri: string,
  content?: JsonObject,
  method = content === undefined ? "GET" : "POST",
  headers: [string, string][] = [],
): Promise<Asked> {
  const response = await node.answerServers(
    {
      ...{ method, target: uri, headers },
      ...(content !== undefined && { body: bodyOf(encodeUtf8(JSON.stringify(content))) }),
    },
    new AbortController().signal,
  );
  const text = new TextDecoder().decode(await readBody(response.body, 1e8));
  const type = new Map(response.headers).get("content-type") ?? "";
  const body = type === "application/json" ? (JSON.parse(text) as JsonObject) : {};
  return { status: response.status, type, text, body };
}

/** An event of a user of another server, built upon a room as the node has it, as that server would send it. */
export async function signedBy(
  { serverName, key }: NamedServer,
  node: OpenNode,
  roomId: string,
  event: GuestEvent,
): Promise<ReceivedEvent> {
  const subject = { ...event, content: event.content };
  const version = await node.roomQueries.versionOf(roomId);
  const rules = roomVersionRules(version)!;
  const front = await node.roomQueries.latest(roomId, authTypesFor(subject, rules));
  const draft: EventDraft = {
    ...{ type: event.type, sender: event.sender, content: event.content, room_id: roomId },
    ...(event.state_key !== undefined && { state_key: event.state_key }),
    origin_server_ts: event.origin_server_ts ?? Date.now(),
    depth: front.depth + 1,
    prev_events: front.extremities.map(({ eventId }) => eventId),
    auth_events: front.state
      .filter(({ pdu }) => !(rules.roomIdIsCreateHash && pdu.type === "m.room.create"))
      .map(({ eventId }) => eventId),
  };
  const { json } = await finishEvent(draft, rules, serverName, key);
  return readReceivedEvent(json, rules);
}

/** The same, taken in by the node. @returns its id */
export async function sendAs(
  guest: NamedServer,
  node: OpenNode,
  roomId: string,
  event: GuestEvent,
): Promise<string> {
  const received = await signedBy(guest, node, roomId, event);
  const [verdict] = await node.roomInput.receive(roomId, [received]);
  if (verdict?.outcome !== "accepted") throw new Error(JSON.stringify(verdict));
  return received.eventId;
}

/** A user of another server joins a room of the node. */
export async function joinAs(guest: NamedServer, node: OpenNode, roomId: string): Promise<string> {
  const sender = `@guest:${guest.serverName}`;
  const content = { membership: "join" };
  return sendAs(guest, node, roomId, { type: "m.room.member", sender, state_key: sender, content });
}
