import { bodyOf, readBody } from "../../../../src/link/bodies.ts";
import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import { keyFromServerName, type UserId } from "../../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import { roomVersionRules, roomVersions } from "../../../../src/matrix/room-versions.ts";
import {
  type EventDraft,
  finishEvent,
  type SigningKey,
  verifyEventSignature,
} from "../../../../src/matrix/signing.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import { authorizationFor } from "../../../../src/matrix/x-matrix.ts";
import type { CreateRoomBody } from "../../../../src/worker-roomserver/room/api.ts";
import { registerAt } from "../../support/node.ts";
import { type FederatedNode, federatedNode } from "../support/federated-node.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";

export type Answered = { status: number; text: string; json: JsonObject };
export type Made = { eventId: string; pdu: Pdu; json: string };
type Membership = "join" | "knock" | "leave";

const path = encodeURIComponent;

/** Another server, made by hand, whose users want to come into the rooms of a node. */
export class GuestServer {
  readonly serverName: string;
  readonly key: SigningKey;
  node: FederatedNode;

  constructor(node: FederatedNode, { serverName, key }: { serverName: string; key: SigningKey }) {
    this.node = node;
    this.serverName = serverName;
    this.key = key;
  }

  user(localpart: string): UserId {
    return `@${localpart}:${this.serverName}` as UserId;
  }

  /** @param content - the body, or its text */
  async ask(method: "GET" | "PUT", uri: string, content?: JsonObject | string): Promise<Answered> {
    const body = typeof content === "object" ? JSON.stringify(content) : content;
    const signed = parsed(body);
    const request = { method, uri, origin: this.serverName, destination: this.node.serverName };
    const authorization = await authorizationFor(
      { ...request, ...(signed && { content: signed }) },
      this.key,
    );
    const response = await this.node.node.answerServers(
      {
        ...{ method, target: uri, headers: [["authorization", authorization]] },
        ...(body !== undefined && { body: bodyOf(encodeUtf8(body)) }),
      },
      new AbortController().signal,
    );
    const text = new TextDecoder().decode(await readBody(response.body, 1e8));
    return { status: response.status, text, json: JSON.parse(text) as JsonObject };
  }

  make(membership: Membership, roomId: string, userId: string, versions: readonly string[] = roomVersions) {
    const query = membership === "leave" ? "" : `?${versions.map((version) => `ver=${version}`).join("&")}`;
    return this.ask(
      "GET",
      `/_matrix/federation/v1/make_${membership}/${path(roomId)}/${path(userId)}${query}`,
    );
  }

  /** Completes an event and signs it. */
  async sign(event: JsonObject, version: string): Promise<Made> {
    const rules = roomVersionRules(version)!;
    const id =
      rules.eventIdFormat === "domain" ? { event_id: `$${crypto.randomUUID()}:${this.serverName}` } : {};
    return finishEvent({ ...event, ...id } as EventDraft, rules, this.serverName, this.key);
  }

  /** What the node makes a template of, completed. */
  async made(membership: Membership, roomId: string, userId: string, over: JsonObject = {}): Promise<Made> {
    const { status, json, text } = await this.make(membership, roomId, userId);
    if (status !== 200) throw new Error(text);
    return this.sign({ ...(json.event as JsonObject), ...over }, json.room_version as string);
  }

  send(
    membership: Membership,
    roomId: string,
    { eventId, json }: Pick<Made, "eventId" | "json">,
    { version = "v2", query = "" }: { version?: "v1" | "v2"; query?: string } = {},
  ) {
    const where = `/_matrix/federation/${membership === "knock" ? "v1" : version}/send_${membership}`;
    return this.ask("PUT", `${where}/${path(roomId)}/${path(eventId)}${query}`, json);
  }

  /** All of the handshake. */
  async enter(membership: Membership, roomId: string, userId: string): Promise<Made> {
    const made = await this.made(membership, roomId, userId);
    const { status, text } = await this.send(membership, roomId, made);
    if (status !== 200) throw new Error(text);
    return made;
  }
}

function parsed(body: string | undefined): JsonObject | undefined {
  try {
    return body === undefined ? undefined : (JSON.parse(body) as JsonObject);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** A node with somebody on it, and a server that has guests for it. */
export async function hosting() {
  const node = await federatedNode(new TestNetwork());
  const alice = await registerAt(node.node, "alice");
  const guests = new GuestServer(node, await namedServer());
  const create = async (body: CreateRoomBody = {}, who = alice) =>
    (await node.node.room.createRoom(crypto.randomUUID(), who, { preset: "public_chat", ...body })).room_id;
  return { node, alice, guests, create };
}

/** Whether a server whose name is its key has signed an event. */
export async function isSignedBy(serverName: string, pdu: Pdu, version: string): Promise<boolean> {
  const [keyId] = Object.keys(pdu.signatures[serverName] ?? {});
  const key = keyFromServerName(serverName);
  if (keyId === undefined || key === undefined) return false;
  const ed25519 = await chooseEd25519(crypto.subtle);
  return verifyEventSignature(pdu, roomVersionRules(version)!, serverName, keyId, key, ed25519);
}

/** Sends an invite, as the room's server does. @param over - what is otherwise in the body */
export function sendInvite(
  guests: GuestServer,
  room: { roomId: string; version: string; told: readonly Made[] },
  { eventId, pdu }: Pick<Made, "eventId" | "pdu">,
  over: JsonObject = {},
): Promise<Answered> {
  const state = room.told.map((event) => event.pdu);
  return guests.ask("PUT", `/_matrix/federation/v2/invite/${path(room.roomId)}/${path(eventId)}`, {
    room_version: room.version,
    event: pdu,
    invite_room_state: state,
    ...over,
  });
}
