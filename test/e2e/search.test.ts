import type { SearchOrderBy } from "matrix-js-sdk/lib/matrix.js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

describe("somebody who searches", () => {
  let browser: DevicesPage;
  let alice: DeviceHandle;
  let bob: DeviceHandle;
  const at = { kitchen: "", cellar: "", private: "", bob: "" };
  /** How many messages of bob's speak of apples: more than one page. */
  const APPLES = 25;

  beforeAll(async () => {
    browser = await openDevicesPage();
    alice = await browser.signUp("alice", "alice's phone");
    bob = await browser.signUp("bob", "bob's phone");
    at.bob = await bob.evaluate(({ userId }) => userId);
    at.kitchen = await alice.evaluate((device, bob) => device.createRoom({ invite: [bob] }), at.bob);
    at.cellar = await alice.evaluate((device, bob) => device.createRoom({ invite: [bob] }), at.bob);
    at.private = await bob.evaluate((device) => device.createRoom());
    await bob.evaluate(
      async (device, { kitchen, cellar, private: own, APPLES }) => {
        await device.acceptInvite(kitchen);
        await device.acceptInvite(cellar);
        for (let number = 1; number <= APPLES; number++) await device.say(cellar, `Box ${number}: apples`);
        await device.say(kitchen, "Apples and PEARS");
        await device.say(own, "Pears for me alone");
      },
      { ...at, APPLES },
    );
    const last = "The end";
    await alice.evaluate((device, { kitchen, last }) => device.say(kitchen, last), { ...at, last });
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  const find = (device: DeviceHandle, term: string, rooms?: string[]) =>
    device.evaluate(
      async ({ client }, { term, rooms }) => {
        const found = await client.searchRoomEvents({
          term,
          ...(rooms && { filter: { rooms } }),
        });
        return {
          count: found.count,
          bodies: found.results.map(({ context }) => context.getEvent().getContent().body as string),
          around: found.results[0]?.context.getTimeline().map((event) => event.getContent().body as string),
        };
      },
      { term, ...(rooms && { rooms }) },
    );

  test("finds a word however it is written, with what was said around it", async () => {
    const found = await find(alice, "pears");
    expect(found).toMatchObject({ count: 1, bodies: ["Apples and PEARS"] });
    expect(found.around).toEqual(expect.arrayContaining(["Apples and PEARS", "The end"]));
  });

  test("finds only what is in rooms of their own", async () => {
    expect((await find(bob, "pears")).bodies.sort()).toEqual(["Apples and PEARS", "Pears for me alone"]);
    expect((await find(alice, "alone")).count).toBe(0);
    expect((await find(alice, "apples", [at.kitchen])).bodies).toEqual(["Apples and PEARS"]);
  });

  test("comes page by page to all of it, the newest first, each once", async () => {
    const bodies = await alice.evaluate(async ({ client }, { cellar }) => {
      let found = await client.search({
        body: {
          search_categories: {
            room_events: {
              search_term: "apples",
              filter: { rooms: [cellar] },
              order_by: "recent" as SearchOrderBy,
            },
          },
        },
      });
      const bodies: string[] = [];
      for (;;) {
        const { results = [], next_batch } = found.search_categories.room_events;
        bodies.push(...results.map(({ result }) => result.content.body as string));
        if (next_batch === undefined) return bodies;
        found = await client.search({
          next_batch,
          body: {
            search_categories: {
              room_events: {
                search_term: "apples",
                filter: { rooms: [cellar] },
                order_by: "recent" as SearchOrderBy,
              },
            },
          },
        });
      }
    }, at);
    expect(bodies).toEqual(Array.from({ length: APPLES }, (_, index) => `Box ${APPLES - index}: apples`));
  });

  test("does not find what has been redacted, and finds what an edit says", async () => {
    const eventId = await bob.evaluate((device, { kitchen }) => device.say(kitchen, "quince"), at);
    expect((await find(alice, "quince")).count).toBe(1);
    await bob.evaluate(
      async ({ client }, { kitchen, eventId }) => {
        await client.sendMessage(kitchen, {
          msgtype: "m.text",
          body: "* medlar",
          "m.new_content": { msgtype: "m.text", body: "medlar" },
          "m.relates_to": { rel_type: "m.replace", event_id: eventId },
        } as never);
      },
      { ...at, eventId },
    );
    expect((await find(alice, "medlar")).count).toBe(1);
    await bob.evaluate(
      ({ client }, { kitchen, eventId }) => client.redactEvent(kitchen, eventId).then(() => undefined),
      { ...at, eventId },
    );
    expect((await find(alice, "quince")).count).toBe(0);
  });

  test("finds the people of their rooms", async () => {
    const found = await alice.evaluate(
      async ({ client }) => (await client.searchUserDirectory({ term: "bo" })).results,
    );
    expect(found.map(({ user_id }) => user_id)).toEqual([at.bob]);
  });
});
