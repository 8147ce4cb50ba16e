import { describe, expect, test } from "vitest";
import {
  blocksEverything,
  type EventFilter,
  filterEvents,
  parseFilter,
  parseRoomEventFilter,
  passesEventFilter,
  passesRoomEventFilter,
  type RoomEventFilter,
} from "../../src/matrix/filters.ts";
import type { JsonObject } from "../../src/matrix/json.ts";

const event = { type: "m.room.message", sender: "@a:x", content: { body: "hi" } as JsonObject };
const image = { ...event, content: { url: "mxc://x/y" } };
const roomId = "!r:x";

describe("an event filter", () => {
  test.each<[filter: EventFilter, passes: boolean]>([
    [{}, true],
    [{ types: ["m.room.message"] }, true],
    [{ types: ["m.room.name"] }, false],
    [{ types: [] }, false],
    [{ types: ["m.*"] }, true],
    [{ types: ["n.*"] }, false],
    [{ not_types: ["m.room.name"] }, true],
    [{ not_types: ["m.room.*"] }, false],
    [{ types: ["m.*"], not_types: ["m.room.message"] }, false],
    [{ senders: ["@a:x"] }, true],
    [{ senders: ["@b:x"] }, false],
    [{ not_senders: ["@b:x"] }, true],
    [{ not_senders: ["@a:x"] }, false],
    [{ senders: ["@a:x"], not_senders: ["@a:x"] }, false],
  ])("%j: %s", (filter, passes) => expect(passesEventFilter(filter, event)).toBe(passes));

  test("an event without a sender passes no list of senders, and is in no list of others", () => {
    const typing = { type: "m.typing", content: {} };
    expect(passesEventFilter({ senders: ["@a:x"] }, typing)).toBe(false);
    expect(passesEventFilter({ not_senders: ["@a:x"] }, typing)).toBe(true);
  });
});

describe("a room event filter", () => {
  test.each<[filter: RoomEventFilter, of: typeof image | typeof event, passes: boolean]>([
    [{ rooms: [roomId] }, event, true],
    [{ rooms: ["!other:x"] }, event, false],
    [{ not_rooms: ["!other:x"] }, event, true],
    [{ not_rooms: [roomId], rooms: [roomId] }, event, false],
    [{ contains_url: true }, image, true],
    [{ contains_url: true }, event, false],
    [{ contains_url: false }, image, false],
    [{ contains_url: false }, event, true],
    [{ types: ["m.room.name"] }, image, false],
  ])("%j of %j: %s", (filter, of, passes) => expect(passesRoomEventFilter(filter, of, roomId)).toBe(passes));

  test("filters stored events in their order", () => {
    const stored = [image, event, image].map((pdu, nid) => ({ nid, roomId, pdu }));
    expect(filterEvents({ contains_url: true }, stored).map(({ nid }) => nid)).toEqual([0, 2]);
  });

  test.each<[filter: RoomEventFilter, blocks: boolean]>([
    [{}, false],
    [{ types: [] }, true],
    [{ types: ["m.*"] }, false],
    [{ senders: [] }, true],
    [{ rooms: [] }, true],
    [{ not_types: ["*"] }, true],
    [{ not_types: ["m.*"] }, false],
  ])("%j blocks everything: %s", (filter, blocks) => expect(blocksEverything(filter)).toBe(blocks));
});

describe("parsing", () => {
  test("keeps what the spec names and ignores the rest", () => {
    const filter = {
      event_fields: ["type"],
      event_format: "federation",
      presence: { types: ["m.presence"], limit: 3 },
      account_data: { not_types: ["*"] },
      room: {
        rooms: [roomId],
        not_rooms: [],
        include_leave: true,
        timeline: { limit: 20, lazy_load_members: true, unread_thread_notifications: true },
        state: { contains_url: false, include_redundant_members: true },
        ephemeral: { senders: ["@a:x"], not_senders: ["@b:x"] },
        account_data: { rooms: [roomId] },
      },
    };
    expect(parseFilter({ ...filter, "org.example.more": 1 })).toEqual(filter);
  });

  test("an empty filter lets everything through", () => {
    const room = { ephemeral: {}, state: {}, timeline: {}, account_data: {} };
    expect(parseFilter({})).toEqual({ event_format: "client", presence: {}, account_data: {}, room });
  });

  test.each<[filter: unknown, named: string]>([
    [null, "The filter"],
    [[], "The filter"],
    ["x", "The filter"],
    [{ event_fields: "type" }, "event_fields"],
    [{ event_format: "raw" }, "event_format"],
    [{ presence: "not_an_object" }, "presence"],
    [{ presence: { types: "m.presence" } }, "presence.types"],
    [{ presence: { types: [1] } }, "presence.types"],
    [{ account_data: { limit: "1" } }, "account_data.limit"],
    [{ room: [] }, "room"],
    [{ room: { include_leave: "yes" } }, "room.include_leave"],
    [{ room: { rooms: ["not_a_room_id"] } }, "room.rooms"],
    [{ room: { timeline: "not_an_object" } }, "room.timeline"],
    [{ room: { timeline: { senders: ["not_a_sender_id"] } } }, "room.timeline.senders"],
    [{ room: { timeline: { limit: -1 } } }, "room.timeline.limit"],
    [{ room: { timeline: { limit: 1.5 } } }, "room.timeline.limit"],
    [{ room: { state: { not_rooms: ["x"] } } }, "room.state.not_rooms"],
    [{ room: { state: { lazy_load_members: 1 } } }, "room.state.lazy_load_members"],
    [{ room: { ephemeral: { contains_url: null } } }, "room.ephemeral.contains_url"],
  ])("refuses %j", (filter, named) => {
    expect(() => parseFilter(filter)).toThrow(
      expect.objectContaining({
        errcode: "M_BAD_JSON",
        status: 400,
        message: expect.stringContaining(named),
      }),
    );
  });

  test("of a room event filter alone", () => {
    expect(parseRoomEventFilter({ limit: 0, types: ["a"] })).toEqual({ limit: 0, types: ["a"] });
    expect(() => parseRoomEventFilter({ types: {} })).toThrow(
      expect.objectContaining({ errcode: "M_BAD_JSON" }),
    );
  });
});
