import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import type { Pdu } from "../../src/matrix/pdu.ts";
import { countNotification, eventNotification, rejectedPushkeys } from "../../src/matrix/push-gateway.ts";

const pdu = { type: "m.room.message", sender: "@b:h", content: { body: "hi" } } as unknown as Pdu;
const event = {
  eventId: "$e",
  roomId: "!r:h",
  pdu,
  tweaks: { sound: "bing" },
  senderName: "Bob",
  roomName: "Tea",
  roomAlias: "#tea:h",
};
const device = (data: JsonObject = {}) => ({
  appId: "a",
  pushkey: "k",
  ts: 12_345_678,
  data: { url: "https://push.example.org/_matrix/push/v1/notify", ...data },
});
const to = (data: JsonObject = {}, unread = 2) => ({ userId: "@me:h", device: device(data), unread });
const told = (data: JsonObject = {}) => ({ app_id: "a", pushkey: "k", pushkey_ts: 12_345, data });

describe("a notification of an event", () => {
  test("has all that there is about it, and the pusher's data without its URL", () => {
    expect(eventNotification(event, to({ brand: "x" }))).toEqual({
      notification: {
        event_id: "$e",
        room_id: "!r:h",
        type: "m.room.message",
        sender: "@b:h",
        sender_display_name: "Bob",
        room_name: "Tea",
        room_alias: "#tea:h",
        content: { body: "hi" },
        prio: "high",
        counts: { unread: 2 },
        devices: [{ ...told({ brand: "x" }), tweaks: { sound: "bing" } }],
      },
    });
  });

  test("in the format event_id_only says neither who nor what nor how", () => {
    expect(eventNotification(event, to({ format: "event_id_only" }))).toEqual({
      notification: {
        event_id: "$e",
        room_id: "!r:h",
        prio: "high",
        counts: { unread: 2 },
        devices: [told({ format: "event_id_only" })],
      },
    });
  });

  test("leaves out a count of zero", () => {
    expect(eventNotification(event, to({}, 0)).notification).toMatchObject({ counts: {} });
  });

  test("says whether the user is the member that it is about", () => {
    const member = (state_key: string) => ({ ...event, pdu: { ...pdu, type: "m.room.member", state_key } });
    expect(eventNotification(member("@me:h"), to()).notification).toMatchObject({ user_is_target: true });
    expect(eventNotification(member("@x:h"), to()).notification).toMatchObject({ user_is_target: false });
    expect(eventNotification(event, to()).notification).not.toHaveProperty("user_is_target");
  });

  test.each<[tweaks: JsonObject, type: string, want: string]>([
    [{}, "m.room.message", "low"],
    [{ sound: "default" }, "m.room.message", "high"],
    [{ highlight: true }, "m.room.message", "high"],
    [{ highlight: false }, "m.room.message", "low"],
    [{}, "m.room.encrypted", "high"],
  ])("with %j of %s has the priority %s", (tweaks, type, want) => {
    const body = eventNotification({ ...event, tweaks, pdu: { ...pdu, type } }, to());
    expect(body.notification).toMatchObject({ prio: want });
  });
});

test("a count alone tells of zero", () => {
  expect(countNotification(device(), 0)).toEqual({
    notification: { prio: "low", counts: { unread: 0 }, devices: [told()] },
  });
});

test.each<[answer: JsonObject, want: string[]]>([
  [{ rejected: ["a", 1, "b"] }, ["a", "b"]],
  [{ rejected: "a" }, []],
  [{}, []],
])("%j rejects %j", (answer, want) => expect(rejectedPushkeys(answer)).toEqual(want));
