import { describe, expect, test } from "vitest";
import { slidingSyncEndpoints } from "../../src/sw/sliding-sync.ts";
import { jsonBytes } from "../../src/worker-roomserver/node/json-bytes.ts";
import type { SlidingSyncQuery } from "../../src/worker-roomserver/sync/sliding/api.ts";
import { asking } from "./support/ask.ts";
import { nodeDouble } from "./support/node-double.ts";

const path = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

function asked(): { asks: SlidingSyncQuery[]; post: (query: string, body: object) => Promise<number> } {
  const asks: SlidingSyncQuery[] = [];
  const node = nodeDouble({
    sync: {
      sliding: async (_, query) => {
        asks.push(query);
        return jsonBytes({ pos: "1" });
      },
      cancel: async () => undefined,
    },
  });
  const ask = asking({ node, endpoints: slidingSyncEndpoints });
  const post = async (query: string, body: object) =>
    (await ask("POST", path + query, { token: "alice", body: JSON.stringify(body) })).status;
  return { asks, post };
}

describe("the form of a request", () => {
  test("what clients send comes through, and nothing else", async () => {
    const { asks, post } = asked();
    const list = {
      ranges: [[0, 19]],
      timeline_limit: 1,
      required_state: [["m.room.member", "$LAZY"]],
      filters: { not_room_types: ["m.space", null], is_dm: null },
    };
    const body = {
      conn_id: "room-list",
      lists: { all_rooms: list, constructor: list },
      room_subscriptions: { "!a:b": { timeline_limit: 20, required_state: [] } },
      extensions: {
        to_device: { enabled: true, since: "7" },
        receipts: { enabled: true, lists: ["*"], rooms: null },
        "org.example.unknown": { enabled: true },
      },
      unknown: 1,
    };
    expect(await post("?pos=s1&timeout=30000&set_presence=offline", body)).toBe(200);
    expect(asks[0]).toEqual({
      pos: "s1",
      timeout: 25_000,
      setPresence: "offline",
      conn_id: "room-list",
      lists: {
        all_rooms: { ...list, filters: { not_room_types: ["m.space", null] } },
        constructor: { ...list, filters: { not_room_types: ["m.space", null] } },
      },
      room_subscriptions: body.room_subscriptions,
      extensions: { to_device: { enabled: true, since: "7" }, receipts: { enabled: true, lists: ["*"] } },
    });
    expect(await post("", {})).toBe(200);
    expect(asks[1]).toEqual({ timeout: 0, setPresence: "online" });
  });

  const room = { timeline_limit: 1, required_state: [] };
  test.each<[string, object]>([
    ["a list without its limit", { lists: { a: { required_state: [] } } }],
    ["a list without its state", { lists: { a: { timeline_limit: 1 } } }],
    ["too many events", { lists: { a: { ...room, timeline_limit: 1_001 } } }],
    ["a limit that is none", { lists: { a: { ...room, timeline_limit: -1 } } }],
    ["state that is no pair", { lists: { a: { ...room, required_state: [["m.room.name"]] } } }],
    ["a range that is none", { lists: { a: { ...room, ranges: [[0]] } } }],
    ["a range of fractions", { lists: { a: { ...room, ranges: [[0, 1.5]] } } }],
    ["a name that is too long", { lists: { ["a".repeat(65)]: room } }],
    ["too many lists", { lists: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`${i}`, room])) }],
    ["lists that are none", { lists: [] }],
    ["subscriptions that are none", { room_subscriptions: { "!a:b": 1 } }],
    ["an extension that is none", { extensions: { typing: true } }],
  ])("%s is refused", async (_, body) => {
    const { asks, post } = asked();
    expect(await post("", body)).toBe(400);
    expect(asks).toEqual([]);
  });
});
