import { expect, test } from "vitest";
import { testHome } from "./support/home.ts";

test("a message is found over the client API, with what was asked for beside it", async () => {
  const home = await testHome();
  const alice = await home.register("alice");
  const room = (await alice.ask("POST", "/createRoom", { name: "Mars" })).body.room_id as string;
  const sent = await alice.ask("PUT", `/rooms/${room}/send/m.room.message/1`, {
    msgtype: "m.text",
    body: "Martians and men",
  });
  const criteria = {
    search_term: "martians",
    order_by: "recent",
    event_context: { before_limit: 1, after_limit: 0 },
    groupings: { group_by: [{ key: "room_id" }] },
  };
  const { status, body } = await alice.ask("POST", "/search", {
    search_categories: { room_events: criteria },
  });
  expect(status).toBe(200);
  const { event_id } = sent.body;
  expect(body).toMatchObject({
    search_categories: {
      room_events: {
        count: 1,
        highlights: ["martians", "Martians"],
        results: [{ rank: expect.any(Number), result: { event_id, room_id: room }, context: {} }],
        groups: { room_id: { [room]: { order: 1, results: [event_id] } } },
      },
    },
  });
});

test.each([
  [{}, "M_MISSING_PARAM"],
  [{ search_categories: { room_events: {} } }, "M_MISSING_PARAM"],
  [{ search_categories: { room_events: { search_term: "a", keys: ["content.url"] } } }, "M_BAD_JSON"],
  [{ search_categories: { room_events: { search_term: "a", order_by: "size" } } }, "M_BAD_JSON"],
  [{ search_categories: { room_events: { search_term: "a", filter: { limit: "x" } } } }, "M_BAD_JSON"],
  [
    { search_categories: { room_events: { search_term: "a", event_context: { before_limit: -1 } } } },
    "M_BAD_JSON",
  ],
])("%j is refused", async (content, errcode) => {
  const home = await testHome();
  const alice = await home.register("alice");
  const { status, body } = await alice.ask("POST", "/search", content);
  expect(status).toBe(400);
  expect(body.errcode).toBe(errcode);
});

test("no category and a token of another kind", async () => {
  const home = await testHome();
  const alice = await home.register("alice");
  expect((await alice.ask("POST", "/search", { search_categories: {} })).body).toEqual({
    search_categories: {},
  });
  const content = { search_categories: { room_events: { search_term: "a" } } };
  const { status, body } = await alice.ask("POST", "/search?next_batch=h7", content);
  expect([status, body.errcode]).toEqual([400, "M_INVALID_PARAM"]);
});

test("people are found by the names they give themselves", async () => {
  const home = await testHome();
  const alice = await home.register("alice");
  const bob = await home.register("bob");
  const find = async (search_term: string) =>
    (await alice.ask("POST", "/user_directory/search", { search_term })).body;
  expect(await find("bob")).toEqual({ results: [], limited: false });
  const room = (await bob.ask("POST", "/createRoom", { preset: "public_chat" })).body.room_id as string;
  expect(await find("bob")).toMatchObject({ results: [{ user_id: bob.userId }] });
  await bob.ask("PUT", `/profile/${bob.userId}/displayname`, { displayname: "Robert" });
  expect(await find("robert")).toEqual({
    results: [{ user_id: bob.userId, display_name: "Robert" }],
    limited: false,
  });
  await bob.ask("POST", `/rooms/${room}/leave`, {});
  expect(await find("robert")).toEqual({ results: [], limited: false });
  const refused = await alice.ask("POST", "/user_directory/search", { limit: 3 });
  expect(refused.status).toBe(400);
});

test("nobody searches without a token", async () => {
  const home = await testHome();
  const { status, body } = await home.ask("POST", "/_matrix/client/v3/search", { body: {} });
  expect([status, body.errcode]).toEqual([401, "M_MISSING_TOKEN"]);
});
