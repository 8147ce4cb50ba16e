import { notFound, unknown } from "../../../../src/matrix/errors.ts";
import { prevEventIds } from "../../../../src/matrix/event-format.ts";
import { isJsonObject, type JsonObject } from "../../../../src/matrix/json.ts";
import { elementTexts, memberText } from "../../../../src/matrix/json-parts.ts";
import { readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { signEvent, signJson } from "../../../../src/matrix/signing.ts";
import type { PeerEndpoint, PeerHandler, PeerRequest, PeerServer } from "./peer-api.ts";
import type { PeerEvent, PeerRoom } from "./peer-room.ts";

const V1 = "/_matrix/federation/v1";
const V2 = "/_matrix/federation/v2";

const pdus = (events: readonly PeerEvent[]): JsonObject[] => events.map(({ pdu }) => pdu);
const ids = (events: readonly PeerEvent[]): string[] => events.map(({ eventId }) => eventId);

/** What a peer answers as long as no test wants it otherwise. */
export function peerEndpoints(peer: PeerServer): PeerEndpoint[] {
  const get = (path: string, handle: PeerHandler): PeerEndpoint => ({ method: "GET", path, handle });
  const put = (path: string, handle: PeerHandler): PeerEndpoint => ({ method: "PUT", path, handle });
  return [
    { ...get("/_matrix/key/v2/server", () => peer.keyDocument()), open: true },
    {
      ...{ method: "POST", path: "/_matrix/key/v2/query", open: true },
      handle: async ({ body }) => {
        const { server_keys: asked } = body;
        const { keyId, sign } = peer.keys.current;
        const names = isJsonObject(asked) ? Object.keys(asked) : [];
        const found = names
          .map((name) => peer.vouches.get(name))
          .filter((document) => document !== undefined);
        const signed = found.map((document) => signJson(document, peer.serverName, keyId, sign));
        return { server_keys: await Promise.all(signed) };
      },
    },
    { ...get(`${V1}/version`, () => ({ server: { name: "Peer", version: "1" } })), open: true },
    put(`${V1}/send/{txnId}`, (request) => taken(peer, request)),

    get(`${V1}/make_join/{roomId}/{userId}`, (request) => template(peer, "join", request)),
    get(`${V1}/make_leave/{roomId}/{userId}`, (request) => template(peer, "leave", request)),
    get(`${V1}/make_knock/{roomId}/{userId}`, (request) => template(peer, "knock", request)),
    put(`${V2}/send_join/{roomId}/{eventId}`, (request) => joined(peer, request)),
    put(`${V2}/send_leave/{roomId}/{eventId}`, (request) => {
      received(peer.room(request.params.roomId), request.text);
      return {};
    }),
    put(`${V1}/send_knock/{roomId}/{eventId}`, (request) => {
      const room = peer.room(request.params.roomId);
      received(room, request.text);
      return { knock_room_state: pdus(room.stateBefore()) };
    }),
    put(`${V2}/invite/{roomId}/{eventId}`, (request) => invited(peer, request)),

    get(`${V1}/event/{eventId}`, ({ params }) => {
      const found = [...peer.rooms.values()].flatMap(({ events }) => events.get(params.eventId ?? "") ?? []);
      if (found.length === 0) throw notFound("The peer does not know this event.");
      return { ...said(peer), pdus: pdus(found) };
    }),
    get(`${V1}/event_auth/{roomId}/{eventId}`, ({ params }) => {
      const room = peer.room(params.roomId);
      return { auth_chain: pdus(room.authChain([known(room, params.eventId)])) };
    }),
    get(`${V1}/state/{roomId}`, ({ params, query }) => {
      const { state, chain } = stateOf(peer, params.roomId, query);
      return { pdus: pdus(state), auth_chain: pdus(chain) };
    }),
    get(`${V1}/state_ids/{roomId}`, ({ params, query }) => {
      const { state, chain } = stateOf(peer, params.roomId, query);
      return { pdu_ids: ids(state), auth_chain_ids: ids(chain) };
    }),
    get(`${V1}/backfill/{roomId}`, ({ params, query }) => {
      const room = peer.room(params.roomId);
      const limit = Number(query.get("limit") ?? 100);
      return { ...said(peer), pdus: pdus(before(room, query.getAll("v"), [], limit)) };
    }),
    {
      ...{ method: "POST", path: `${V1}/get_missing_events/{roomId}` },
      handle: ({ params, body }) => {
        const room = peer.room(params.roomId);
        const latest = strings(body.latest_events);
        const roots = latest.flatMap((id) => prevEventIds(known(room, id).pdu));
        const earliest = strings(body.earliest_events);
        const found = before(room, roots, earliest, Number(body.limit ?? 10));
        return { events: pdus(found.reverse()) };
      },
    },

    get(`${V1}/query/profile`, ({ query }) => {
      const profile = peer.profiles.get(query.get("user_id") ?? "");
      if (profile === undefined) throw notFound("The peer does not know this user.");
      const field = query.get("field");
      return field === null ? profile : { [field]: profile[field] };
    }),
  ];
}

const said = ({ serverName }: PeerServer) => ({ origin: serverName, origin_server_ts: Date.now() });
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

function known(room: PeerRoom, eventId: string | undefined): PeerEvent {
  const event = room.events.get(eventId ?? "");
  if (event === undefined) throw notFound("The peer does not know this event.");
  return event;
}

function stateOf(peer: PeerServer, roomId: string | undefined, query: URLSearchParams) {
  const room = peer.room(roomId);
  const state = room.stateBefore(known(room, query.get("event_id") ?? "").eventId);
  return { state, chain: room.authChain(state) };
}

/** From these on backwards, breadth-first, them included, down to `until`. */
function before(room: PeerRoom, from: readonly string[], until: readonly string[], limit: number) {
  const found = new Map<string, PeerEvent>();
  const queue = [...from];
  for (let id = queue.shift(); id !== undefined && found.size < limit; id = queue.shift()) {
    const event = room.events.get(id);
    if (event === undefined || found.has(id) || until.includes(id)) continue;
    found.set(id, event);
    queue.push(...prevEventIds(event.pdu));
  }
  return [...found.values()];
}

function template(peer: PeerServer, membership: string, { params }: PeerRequest) {
  const room = peer.room(params.roomId);
  const userId = params.userId ?? "";
  const event = room.draft({
    ...{ type: "m.room.member", sender: userId, state_key: userId },
    content: { membership },
  });
  return { room_version: room.version, event };
}

function received(room: PeerRoom, text: string): PeerEvent {
  return room.add(readReceivedEvent(text, room.rules));
}

function joined(peer: PeerServer, { params, query, text }: PeerRequest) {
  const room = peer.room(params.roomId);
  const before = room.stateBefore();
  const event = received(room, text);
  const omitted = query.get("omit_members") === "true";
  const state = omitted
    ? before.filter(({ pdu }) => pdu.type !== "m.room.member" || pdu.state_key === event.pdu.sender)
    : before;
  const members = before.filter(
    ({ pdu }) => pdu.type === "m.room.member" && pdu.content.membership === "join",
  );
  const servers = members.map(({ pdu }) => pdu.state_key?.slice(pdu.state_key.indexOf(":") + 1) ?? "");
  return {
    ...{ origin: peer.serverName, event: event.pdu, members_omitted: omitted },
    ...{ state: pdus(state), auth_chain: pdus(room.authChain([...state, event])) },
    ...(omitted && { servers_in_room: [...new Set(servers)] }),
  };
}

async function invited(peer: PeerServer, { params, body, text }: PeerRequest) {
  const version = String(body.room_version);
  const rules = roomVersionRules(version);
  if (rules === undefined) throw unknown("The peer does not know this room version.", 400);
  const { pdu } = readReceivedEvent(memberText(text, "event") ?? "", rules);
  const event = await signEvent(pdu, rules, peer.serverName, peer.keys.current);
  peer.invites.push({ roomId: params.roomId ?? "", version, event, body });
  return { event };
}

/** Takes what it can of a transaction into the rooms that it knows. */
function taken(peer: PeerServer, { origin, params, body, text }: PeerRequest) {
  peer.transactions.push({ origin, transactionId: params.txnId ?? "", body, text });
  const results: JsonObject = {};
  for (const json of elementTexts(text, "pdus")) {
    const pdu: unknown = JSON.parse(json);
    const room = peer.rooms.get(isJsonObject(pdu) ? String(pdu.room_id) : "");
    if (room !== undefined) results[received(room, json).eventId] = {};
  }
  return { pdus: results };
}
