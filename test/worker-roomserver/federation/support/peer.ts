import { createPathRouter, type Method } from "../../../../src/door/path-router.ts";
import { errorAnswer, headerOf, jsonAnswer } from "../../../../src/link/answers.ts";
import type { LinkRequest, LinkResponse } from "../../../../src/link/api.ts";
import { readBody } from "../../../../src/link/bodies.ts";
import { encodeBase64 } from "../../../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import { unknown } from "../../../../src/matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../../../src/matrix/json.ts";
import { elementTexts, memberText } from "../../../../src/matrix/json-parts.ts";
import { readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { readServerKeys } from "../../../../src/matrix/server-keys.ts";
import { keyFromServerName, serverNameFromKey } from "../../../../src/matrix/server-names.ts";
import { finishEvent, type SigningKey, signJson } from "../../../../src/matrix/signing.ts";
import {
  authorizationFor,
  readAuthorization,
  unauthorized,
  verifyRequest,
} from "../../../../src/matrix/x-matrix.ts";
import { isFailure } from "../../../../src/worker-roomserver/egress/api.ts";
import { bytesOf } from "../../../../src/worker-roomserver/egress/body.ts";
import type { TestNetwork } from "./network.ts";
import type { PeerAnswer, PeerEndpoint, PeerHandler, PeerServer, PeerTransaction } from "./peer-api.ts";
import { peerEndpoints } from "./peer-endpoints.ts";
import { PeerRoom, type PeerRoomOptions, usualPeerRoom } from "./peer-room.ts";

export type Asked = { status: number; text: string; json: JsonObject };

/**
 * A small homeserver on a test's network, which signs what it says, and can be made to misbehave in everything:
 * `override` takes the place of any endpoint, `PeerEventFields.bad` spoils events, `keys` says what it publishes.
 */
export class Peer implements PeerServer {
  readonly serverName: string;
  readonly network: TestNetwork;
  readonly rooms = new Map<string, PeerRoom>();
  /** By user id: what the profile query answers. */
  readonly profiles = new Map<string, JsonObject>();
  /** Key documents of other servers that it passes on as a notary, by their names; true ones or not. */
  readonly vouches = new Map<string, JsonObject>();
  /** In the order in which they came. */
  readonly transactions: PeerTransaction[] = [];
  /** In the order in which they came; the event is signed by both servers. */
  readonly invites: { roomId: string; version: string; event: JsonObject; body: JsonObject }[] = [];
  /** What the key document says: change it before others ask for it. */
  readonly keys: {
    current: SigningKey;
    old: { key: SigningKey; expiredAt: number }[];
    /** Milliseconds since 1970. */
    validUntil: () => number;
  };
  readonly #forged: SigningKey;
  readonly #endpoints = new Map<string, PeerEndpoint>();
  #route = createPathRouter<PeerEndpoint>([]);

  private constructor(network: TestNetwork, serverName: string, key: SigningKey, forged: SigningKey) {
    this.network = network;
    this.serverName = serverName;
    this.keys = { current: key, old: [], validUntil: () => Date.now() + 24 * 60 * 60_000 };
    this.#forged = forged;
    for (const endpoint of peerEndpoints(this)) this.#set(endpoint);
    network.add(serverName, (request, signal) => this.answer(request, signal));
  }

  /** @param name - an ordinary name, whose key is to be asked for; by default, the peer is named by its key */
  static async open(network: TestNetwork, name?: string): Promise<Peer> {
    const key = await newKey("ed25519:test");
    return new Peer(network, name ?? serverNameFromKey(key.publicKey), key, await newKey("ed25519:other"));
  }

  /** A user id on this peer. */
  user(localpart: string): string {
    return `@${localpart}:${this.serverName}`;
  }

  /** Answers an endpoint in its own way from now on. @param path - with `{name}` for its parameters, as in the spec */
  override(method: Method, path: string, handle: PeerHandler): void {
    this.#set({ ...this.#endpoints.get(`${method} ${path}`), method, path, handle });
  }

  #set(endpoint: PeerEndpoint): void {
    this.#endpoints.set(`${endpoint.method} ${endpoint.path}`, endpoint);
    this.#route = createPathRouter(
      [...this.#endpoints.values()].map((target) => ({ method: target.method, path: target.path, target })),
    );
  }

  async createRoom(options: Omit<PeerRoomOptions, "creator"> & { creator?: string } = {}): Promise<PeerRoom> {
    const creator = options.creator ?? this.user("creator");
    const room = await usualPeerRoom({ ...options, creator }, this.#signer);
    this.rooms.set(room.roomId, room);
    return room;
  }

  get #signer() {
    return { serverName: this.serverName, key: this.keys.current, forged: this.#forged };
  }

  /** Joins a room over another server that is in it, and holds it from then on. */
  async join(
    via: string,
    roomId: string,
    userId = this.user("peer"),
    versions = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
  ): Promise<PeerRoom> {
    const made = await this.#template("join", via, roomId, userId, versions);
    const version = String(made.room_version ?? "1");
    const room = new PeerRoom(version, this.#signer);
    const draft = made.event as Parameters<typeof finishEvent>[0];
    const named = room.rules.eventIdFormat === "domain" && {
      event_id: `$${crypto.randomUUID()}:${this.serverName}`,
    };
    const event = await finishEvent({ ...draft, ...named }, room.rules, this.serverName, this.keys.current);
    const path = `/_matrix/federation/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(event.eventId)}`;
    const { status, text } = await this.ask(via, "PUT", path, event.pdu);
    if (status !== 200) throw new Error(`send_join was answered with ${status}: ${text}`);
    const read = (json: string) => readReceivedEvent(json, room.rules);
    const signed = memberText(text, "event");
    room.adopt(
      signed === undefined ? event : read(signed),
      elementTexts(text, "state").map(read),
      elementTexts(text, "auth_chain").map(read),
    );
    this.rooms.set(roomId, room);
    return room;
  }

  async #template(what: string, via: string, roomId: string, userId: string, versions: readonly string[]) {
    const query = versions.map((version) => `ver=${version}`).join("&");
    const path = `/_matrix/federation/v1/make_${what}/${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}`;
    const { status, json } = await this.ask(via, "GET", `${path}?${query}`);
    if (status !== 200) throw new Error(`make_${what} was answered with ${status}: ${JSON.stringify(json)}`);
    return json;
  }

  /**
   * A signed request to another server.
   * @param content - the body, or the text of it, where it matters how it is written
   */
  async ask(
    to: string,
    method: "GET" | "PUT" | "POST",
    uri: string,
    content?: JsonObject | string,
  ): Promise<Asked> {
    const body = typeof content === "object" ? JSON.stringify(content) : content;
    const request = { method, uri, origin: this.serverName, destination: to };
    const signed = body === undefined ? request : { ...request, content: JSON.parse(body) as JsonObject };
    const answer = await this.network
      .egress(() => this.serverName)
      .fetch(
        { kind: "federation", url: `matrix://${to}${uri}` },
        {
          ...{ method, timeout: 30_000, maxBytes: 100_000_000 },
          headers: { Authorization: await authorizationFor(signed, this.keys.current) },
          ...(body !== undefined && { body }),
        },
      );
    if (isFailure(answer)) throw new Error(`${to}: ${answer.why}`);
    const bytes = await bytesOf(answer);
    if (isFailure(bytes)) throw new Error(`${to}: ${bytes.why}`);
    const text = new TextDecoder().decode(bytes);
    return { status: answer.status, text, json: JSON.parse(text) as JsonObject };
  }

  /** Sends a transaction; the events by their texts. */
  sendTransaction(
    to: string,
    { pdus = [], edus = [], transactionId = crypto.randomUUID() }: TransactionParts,
  ): Promise<Asked> {
    const head = JSON.stringify({ origin: this.serverName, origin_server_ts: Date.now(), edus });
    const body = `${head.slice(0, -1)},"pdus":[${pdus.map(({ json }) => json).join(",")}]}`;
    return this.ask(to, "PUT", `/_matrix/federation/v1/send/${encodeURIComponent(transactionId)}`, body);
  }

  /** The signed document that says with which keys this server signs. @param over - what it says otherwise */
  keyDocument(over: JsonObject = {}): Promise<JsonObject> {
    const { current, old, validUntil } = this.keys;
    const document = {
      server_name: this.serverName,
      verify_keys: { [current.keyId]: { key: encodeBase64(current.publicKey) } },
      old_verify_keys: Object.fromEntries(
        old.map(({ key, expiredAt }) => [
          key.keyId,
          { key: encodeBase64(key.publicKey), expired_ts: expiredAt },
        ]),
      ),
      valid_until_ts: validUntil(),
      ...over,
    };
    return signJson(document, this.serverName, current.keyId, current.sign);
  }

  /** As the network calls it. */
  async answer(request: LinkRequest, signal: AbortSignal): Promise<LinkResponse> {
    try {
      const { pathname, searchParams } = new URL(request.target, "https://peer.invalid");
      const { target, params } = this.#route(request.method, pathname);
      const text = new TextDecoder().decode(await readBody(request.body, 100_000_000));
      const body = text === "" ? undefined : (JSON.parse(text) as JsonObject);
      const origin = target.open === true ? "" : await this.#authenticate(request, body);
      const handled = target.handle({ origin, params, query: searchParams, body: body ?? {}, text, signal });
      const answer = await handled;
      return isLinkResponse(answer) ? answer : jsonAnswer(answer);
    } catch (error) {
      return errorAnswer(error);
    }
  }

  async #authenticate(request: LinkRequest, content: JsonObject | undefined): Promise<string> {
    const { origin, destination, signatures } = readAuthorization(headerOf(request, "authorization"));
    if (destination !== this.serverName) throw unauthorized("This request is for another server.");
    const { method, target: uri } = request;
    for (const signature of signatures) {
      const key = await this.#keyOf(origin, signature.keyId);
      if (
        key &&
        (await verifyRequest({ method, uri, origin, destination, content }, signature, key, ed25519))
      ) {
        return origin;
      }
    }
    throw unauthorized("The request is not signed by its origin.");
  }

  async #keyOf(origin: string, keyId: string): Promise<Uint8Array | undefined> {
    const named = keyFromServerName(origin);
    if (named !== undefined) return named;
    const { json } = await this.ask(origin, "GET", "/_matrix/key/v2/server");
    return (await readServerKeys(json, origin, ed25519)).keys.get(keyId);
  }

  /** The room with this id. @throws MatrixError 404 */
  room(roomId: string | undefined): PeerRoom {
    const room = this.rooms.get(roomId ?? "");
    if (room === undefined) throw unknown("The peer does not know this room.", 404);
    return room;
  }
}

export type TransactionParts = {
  pdus?: readonly { json: string }[];
  edus?: readonly JsonObject[];
  transactionId?: string;
};

const ed25519 = await chooseEd25519(crypto.subtle);

/** A key that is nobody's yet. */
export async function newKey(keyId: string): Promise<SigningKey> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  return { keyId, publicKey: await ed25519.publicKey(seed), sign: await ed25519.signer(seed) };
}

function isLinkResponse(answer: PeerAnswer): answer is LinkResponse {
  return !isJsonObject(answer) || (typeof answer.status === "number" && Array.isArray(answer.headers));
}
