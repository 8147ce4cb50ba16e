import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { UserId } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Pdu } from "../../../src/matrix/pdu.ts";
import { defaultRoomVersion } from "../../../src/matrix/room-versions.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import { openIdentity } from "../../../src/worker-roomserver/node/identity.ts";
import type { JsonBytes, Requester } from "../../../src/worker-roomserver/node/requester.ts";
import type {
  CreateRoomBody,
  MembershipAction,
  StoredEvent,
} from "../../../src/worker-roomserver/room/api.ts";
import { makeRoomParts } from "../../../src/worker-roomserver/room/make-parts.ts";
import type { RoomParts } from "../../../src/worker-roomserver/room/parts.ts";
import { createRoom } from "../../../src/worker-roomserver/room/perform/create-room.ts";
import { changeMembership } from "../../../src/worker-roomserver/room/perform/membership.ts";
import { redact, sendEvent } from "../../../src/worker-roomserver/room/perform/send.ts";
import { setState } from "../../../src/worker-roomserver/room/perform/set-state.ts";
import type { RoomHead } from "../../../src/worker-roomserver/room/room-head.ts";
import { commitUnit, type NewEvent } from "../../../src/worker-roomserver/room/room-unit.ts";
import { noAppServices } from "./app-services.ts";
import { type TestStorage, testStorage } from "./storage.ts";

/** The parts of a room server, to call its queries with, and short ways to make something to ask for. */
export type TestParts = RoomParts & {
  storage: TestStorage;
  /** What `now` says. */
  clock: { now: number };
  user: (localpart: string) => Requester;
  create: (who: string, body?: CreateRoomBody) => Promise<string>;
  act: (roomId: string, action: MembershipAction, who: string, target?: string) => Promise<unknown>;
  /** An event, by its id. */
  send: (roomId: string, who: string, content: JsonObject, type?: string) => Promise<string>;
  /** A message that no rule for sending has been asked about, as there may be from before or from elsewhere. */
  sendFreely: (roomId: string, who: string, content: JsonObject) => Promise<string>;
  setState: (roomId: string, who: string, type: string, content: JsonObject) => Promise<string>;
  redact: (roomId: string, who: string, eventId: string) => Promise<string>;
  /** An event that came from elsewhere, as it is written once all has been found out about it. */
  takeIn: (
    roomId: string,
    pdu: Partial<Pdu> & { sender: string; type: string },
    how: { order: number } | Pick<StoredEvent, "status" | "reason" | "isOutlier">,
  ) => Promise<string>;
};

export async function testParts(name?: string): Promise<TestParts> {
  const storage = await testStorage(name);
  const clock = { now: 1_700_000_000_000 };
  const now = () => clock.now;
  const answers = await Answers.open(storage, now);
  const ed25519 = await chooseEd25519(crypto.subtle);
  const { serverName, key } = await openIdentity(storage, ed25519);
  const made = makeRoomParts({
    storage,
    answers,
    users: {
      isLocalAccount: () => Promise.resolve(true),
      findAccount: async () => undefined,
      memberProfile: () => Promise.resolve({}),
      erasedSince: () => undefined,
    },
    accountData: { stored: () => Promise.resolve(undefined) },
    appServices: noAppServices,
    now,
    roomVersion: () => defaultRoomVersion,
    serverName,
    key,
    ed25519,
  });
  const parts = {
    ...made,
    storage,
    creationTime: () => {
      clock.now += 1;
      return clock.now;
    },
  };
  const request = () => crypto.randomUUID();
  const user = (localpart: string): Requester => ({
    userId: `@${localpart}:${serverName}` as UserId,
    deviceId: `${localpart}-D`,
    kind: "user",
    admin: false,
  });
  return {
    ...parts,
    clock,
    user,
    create: async (who, body = {}) => (await createRoom(parts, request(), user(who), body)).room_id,
    act: (roomId, action, who, target = who) =>
      changeMembership(parts, request(), user(who), { roomId, action, target: user(target).userId }),
    send: async (roomId, who, content, type = "m.room.message") => {
      clock.now += 1;
      const event = { roomId, type, txnId: request(), content };
      return (await sendEvent(parts, user(who), event)).event_id;
    },
    sendFreely: (roomId, who, content) => {
      clock.now += 1;
      const message = { type: "m.room.message", sender: user(who).userId, content, ts: clock.now };
      return parts.writer.write(
        roomId,
        async (plan) => (await plan.add(message)).eventId,
        () => undefined,
      );
    },
    setState: async (roomId, who, type, content) =>
      (await setState(parts, request(), user(who), { roomId, type, stateKey: "", content })).event_id,
    redact: async (roomId, who, eventId) => {
      const redaction = { roomId, eventId, txnId: request(), content: {} };
      return (await redact(parts, user(who), redaction)).event_id;
    },
    takeIn: async (roomId, pdu, how) => {
      const eventId = `$${request()}`;
      await parts.locks.run(roomId, async () => {
        const head = await parts.heads.own(roomId);
        const event = await newEvent(parts, head, eventId, pdu);
        await commitUnit(parts, head, (unit) => {
          if ("order" in how) unit.addHistory(event, how.order);
          else unit.addAside(event, { ...how, extremities: [] });
        });
      });
      return eventId;
    },
  };
}

async function newEvent(
  { storage }: RoomParts,
  head: RoomHead,
  eventId: string,
  fields: Partial<Pdu> & { sender: string; type: string },
): Promise<NewEvent> {
  const pdu: Pdu = {
    room_id: head.roomId,
    content: {},
    origin_server_ts: 1,
    depth: 1,
    prev_events: [],
    auth_events: [],
    hashes: { sha256: "" },
    signatures: {},
    ...fields,
  };
  return {
    nid: storage.newEvent(),
    eventId,
    pdu,
    json: JSON.stringify(pdu),
    key: undefined,
    authEvents: [],
    before: head.current,
    after: head.current,
    replaced: undefined,
    redacts: undefined,
    redactedBy: undefined,
    missing: [],
    sentBy: null,
  };
}

/** `m.relates_to`, in a content. */
export const relating = (relType: string, eventId: string, content: JsonObject = {}): JsonObject => ({
  ...content,
  "m.relates_to": { rel_type: relType, event_id: eventId },
});

/** A JSON answer of events. */
export function page(bytes: JsonBytes): {
  chunk: (JsonObject & { event_id: string; content: JsonObject; unsigned: JsonObject })[];
  next_batch?: string;
  prev_batch?: string;
  recursion_depth?: number;
} {
  return JSON.parse(new TextDecoder().decode(bytes)) as ReturnType<typeof page>;
}
