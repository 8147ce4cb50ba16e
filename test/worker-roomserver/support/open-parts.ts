import type { JsonObject } from "../../../src/matrix/json.ts";
import type { JsonBytes, Requester } from "../../../src/worker-roomserver/node/requester.ts";
import type { CreateRoomBody, MembershipAction } from "../../../src/worker-roomserver/room/api.ts";
import type { RoomParts } from "../../../src/worker-roomserver/room/parts.ts";
import { setState } from "../../../src/worker-roomserver/room/perform/set-state.ts";
import { testParts } from "./room-parts.ts";
import type { TestStorage } from "./storage.ts";

/** The parts of a room server whose rooms are mostly alice's. */
export type OpenParts = {
  parts: RoomParts;
  storage: TestStorage;
  serverName: string;
  /** What `now` says. */
  clock: { now: number };
  request: () => string;
  user: (localpart: string) => Requester;
  create: (body?: CreateRoomBody) => Promise<string>;
  act: (roomId: string, action: MembershipAction, who: string, target?: string) => Promise<unknown>;
  set: (
    roomId: string,
    type: string,
    content: JsonObject,
    stateKey?: string,
    who?: string,
  ) => Promise<unknown>;
  /** The content of an entry of the room's current state. */
  content: (roomId: string, type: string, stateKey?: string) => Promise<JsonObject | undefined>;
};

/** Over a database of its own or, by name, one that is there already. */
export async function openParts(name?: string): Promise<OpenParts> {
  const parts = await testParts(name);
  const { storage, clock, user, act, heads, author } = parts;
  const request = () => crypto.randomUUID();
  return {
    parts,
    storage,
    serverName: author.serverName,
    clock,
    request,
    user,
    act,
    create: (body) => parts.create("alice", body),
    set: (roomId, type, content, stateKey = "", who = "alice") =>
      setState(parts, request(), user(who), { roomId, type, stateKey, content }),
    content: async (roomId, type, stateKey = "") =>
      (await (await heads.get(roomId)).state(type, stateKey))?.pdu.content,
  };
}

/** What a JSON answer says. */
export function said<T>(bytes: JsonBytes): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}
