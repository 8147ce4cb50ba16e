import { describe, expect, test, vi } from "vitest";
import type { PusherBody } from "../../../src/worker-roomserver/push/api.ts";
import { refusal } from "../support/requester.ts";
import { failCommit, until } from "../support/rounds.ts";
import { Clock, GatewayDouble, openPushTest, type PushTest, unread } from "./support/push.ts";

const url = "https://push.example.org/_matrix/push/v1/notify";
const phone: PusherBody = {
  pushkey: "key",
  kind: "http",
  app_id: "org.example.app",
  app_display_name: "App",
  device_display_name: "Phone",
  lang: "en",
  data: { url },
};
const DAY_MS = 24 * 60 * 60_000;

function world() {
  const gateway = new GatewayDouble();
  return { gateway, clock: new Clock(), egress: gateway.egress };
}

async function open(name?: string, within = world()) {
  const t = await openPushTest(name, within);
  const set = async (who: string, body: Partial<PusherBody> = {}) => {
    // What is judged later is news to the pusher, if only that an invitation is over. Listing waits until it is stored.
    await t.push.notifications(t.user(who), { limit: 1, onlyHighlights: false });
    await t.push.setPusher(t.user(who), { ...phone, ...body });
  };
  return { ...t, world: within, gateway: within.gateway, set };
}

/** Everything has been judged, and the gateway was asked so often. */
const asked = async (t: PushTest & { gateway: GatewayDouble }, times: number) => {
  await t.push.caughtUp(t.storage.position);
  await until(() => t.gateway.asked.length >= times);
  expect(t.gateway.asked).toHaveLength(times);
};

/** A line has failed, and waits. */
const waits = (t: PushTest) => until(() => t.world.clock.waiting === 1);

describe("a pusher", () => {
  test("is there until it is removed, each for its owner", async () => {
    const t = await open();
    const second = { ...phone, pushkey: "other", profile_tag: "x", data: { url, format: "event_id_only" } };
    await t.set("bob");
    await t.set("bob", second);
    await t.set("alice", { app_id: "org.example.other" });
    expect(await t.push.pushers(t.user("bob"))).toEqual([phone, second]);
    await t.set("bob", { device_display_name: "New phone" });
    expect((await t.push.pushers(t.user("bob")))[0]).toEqual({ ...phone, device_display_name: "New phone" });
    await t.push.setPusher(t.user("bob"), { kind: null, app_id: phone.app_id, pushkey: "key" });
    await t.push.setPusher(t.user("bob"), { kind: null, app_id: phone.app_id, pushkey: "no such" });
    expect(await t.push.pushers(t.user("bob"))).toEqual([second]);
    t.push.close();
    const next = await open(t.storage.name);
    expect(await next.push.pushers(next.user("bob"))).toEqual([second]);
  });

  test("takes the place of other users' of that pushkey, unless it is to be beside them", async () => {
    const t = await open();
    await t.set("alice");
    await t.set("bob", { append: true });
    expect(await t.push.pushers(t.user("alice"))).toHaveLength(1);
    await t.set("carol");
    expect(await t.push.pushers(t.user("alice"))).toEqual([]);
    expect(await t.push.pushers(t.user("bob"))).toEqual([]);
    expect(await t.push.pushers(t.user("carol"))).toHaveLength(1);
  });

  test("that several set at once is in the end the last one's alone", async () => {
    const t = await open();
    const users = ["alice", "bob", "carol"];
    await Promise.all(users.map((who) => t.set(who)));
    const left = await Promise.all(users.map((who) => t.push.pushers(t.user(who))));
    expect(left.map((pushers) => pushers.length)).toEqual([0, 0, 1]);
  });

  const at = (url: unknown) => ({ data: { url } as object as { url: string } });
  test.each<[what: string, body: Partial<PusherBody>, errcode: string]>([
    ["an app_id that is too long", { app_id: "a".repeat(65) }, "M_INVALID_PARAM"],
    ["a pushkey that is too long", { pushkey: "é".repeat(257) }, "M_INVALID_PARAM"],
    ["an unknown kind", { kind: "email" }, "M_INVALID_PARAM"],
    ["no name", { app_display_name: undefined }, "M_MISSING_PARAM"],
    ["no device's name", { device_display_name: undefined }, "M_MISSING_PARAM"],
    ["no language", { lang: undefined }, "M_MISSING_PARAM"],
    ["no data", { data: undefined }, "M_MISSING_PARAM"],
    ["no URL", { data: {} }, "M_MISSING_PARAM"],
    ["a URL that is none", at("push"), "M_INVALID_PARAM"],
    ["a URL that is a number", at(1), "M_INVALID_PARAM"],
    ["a URL without https", at(url.replace("https", "http")), "M_INVALID_PARAM"],
    ["a URL of another path", at("https://push.example.org/notify"), "M_INVALID_PARAM"],
    ["a URL on this machine", at("https://127.0.0.1/_matrix/push/v1/notify"), "M_INVALID_PARAM"],
    ["a URL in this network", at("https://router.local/_matrix/push/v1/notify"), "M_INVALID_PARAM"],
    ["too much", { lang: "x".repeat(20_000) }, "M_INVALID_PARAM"],
  ])("is refused with %s", async (_, body, errcode) => {
    const t = await open();
    expect(await refusal(t.set("bob", body))).toEqual({ errcode, status: 400 });
    expect(await t.push.pushers(t.user("bob"))).toEqual([]);
  });

  test("is one of at most a hundred", async () => {
    const t = await open();
    for (let i = 0; i < 100; i++) await t.set("bob", { pushkey: `${i}` });
    expect(await refusal(t.set("bob"))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
    await t.set("bob", { pushkey: "7", lang: "de" });
    expect(await t.push.pushers(t.user("bob"))).toHaveLength(100);
  });

  test("is not set by a device that has gone", async () => {
    const t = await open();
    const { userId, deviceId } = t.user("bob");
    t.removed.add(JSON.stringify([userId, deviceId]));
    await expect(t.set("bob")).rejects.toThrow("no such device");
    expect(await t.push.pushers(t.user("bob"))).toEqual([]);
  });
});

describe("a gateway", () => {
  test("is told of what the rules say, and how much is unread in all rooms", async () => {
    const t = await open();
    const [tea, cake] = [await t.roomOf("alice", "bob", "carol"), await t.roomOf("alice", "bob")];
    await t.send("alice", tea);
    await t.set("bob");
    await t.send("alice", cake, { msgtype: "m.notice" });
    const eventId = await t.send("alice", cake);
    await asked(t, 1);
    expect(t.gateway.asked).toEqual([
      {
        url,
        notification: {
          event_id: eventId,
          room_id: cake,
          type: "m.room.message",
          sender: t.user("alice").userId,
          sender_display_name: "alice",
          content: { body: "hi", msgtype: "m.text" },
          prio: "high",
          counts: { unread: 2 },
          devices: [
            {
              app_id: phone.app_id,
              pushkey: "key",
              pushkey_ts: 1_700_000_000,
              data: {},
              tweaks: { sound: "default" },
            },
          ],
        },
      },
    ]);
  });

  test("is told no more than that there is something, where that is the format", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob", { data: { url, format: "event_id_only", brand: "x" } });
    await t.send("alice", roomId);
    await asked(t, 1);
    expect(Object.keys(t.gateway.asked[0]!.notification).sort()).toEqual(
      ["event_id", "room_id", "prio", "counts", "devices"].sort(),
    );
    expect(t.gateway.asked[0]!.notification.devices).toMatchObject([
      { data: { format: "event_id_only", brand: "x" } },
    ]);
  });

  test("is told of what comes in order, and not of what came before the pusher", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.send("alice", roomId);
    await t.set("bob");
    const sent = [
      await t.send("alice", roomId),
      await t.send("alice", roomId),
      await t.send("alice", roomId),
    ];
    await asked(t, 3);
    expect(t.gateway.events).toEqual(sent);
  });

  test("is told when less is unread, and zero too", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    const eventId = await t.send("alice", roomId);
    await asked(t, 1);
    await t.read("bob", roomId, eventId);
    await asked(t, 2);
    expect(t.gateway.asked[1]!.notification).toMatchObject({ prio: "low", counts: { unread: 0 } });
    expect(t.gateway.asked[1]!.notification).not.toHaveProperty("event_id");
  });

  test("that rejects a pushkey is not asked for it again", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    t.gateway.next = [{ rejected: ["another"] }, { rejected: ["key"] }];
    await t.send("alice", roomId);
    await asked(t, 1);
    expect(await t.push.pushers(t.user("bob"))).toHaveLength(1);
    await t.send("alice", roomId);
    await until(async () => (await t.push.pushers(t.user("bob"))).length === 0);
    await t.send("alice", roomId);
    await asked(t, 2);
  });

  test("that fails is asked again, ever later, and then told of all", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    t.gateway.next = [500, 404, 502];
    const first = await t.send("alice", roomId);
    await asked(t, 1);
    const second = await t.send("alice", roomId);
    await t.push.caughtUp(t.storage.position);
    await waits(t);
    t.world.clock.pass(999);
    expect(t.gateway.asked).toHaveLength(1);
    t.world.clock.pass(1);
    await asked(t, 2);
    await waits(t);
    t.world.clock.pass(2_000);
    await asked(t, 3);
    await waits(t);
    t.world.clock.pass(4_000);
    await asked(t, 5);
    expect(t.gateway.events).toEqual([first, first, first, first, second]);
    expect(warned).toHaveBeenCalledTimes(1);
  });

  test("that is slow holds up no other", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob", "carol");
    await t.set("bob");
    await t.set("carol", { pushkey: "hers" });
    let answer = (): void => undefined;
    t.gateway.next = [
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
    ];
    await t.send("alice", roomId);
    await t.send("alice", roomId);
    await asked(t, 3);
    answer();
    await asked(t, 4);
  });

  test("is not told of what has been read or redacted meanwhile, or is a day old", async () => {
    const t = await open();
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    t.gateway.next = [500];
    const sent = [await t.send("alice", roomId)];
    await asked(t, 1);
    await waits(t);
    sent.push(await t.send("alice", roomId), await t.send("alice", roomId), await t.send("alice", roomId));
    await t.redact("alice", roomId, sent[2]!);
    await t.read("bob", roomId, sent[1]!);
    await t.push.caughtUp(t.storage.position);
    t.world.clock.pass(1_000);
    await asked(t, 2);
    expect(t.gateway.events).toEqual([sent[0], sent[3]]);
    expect(t.gateway.asked[1]!.notification).toMatchObject({ counts: { unread: 1 } });

    t.gateway.next = [500];
    const old = await t.send("alice", roomId);
    await asked(t, 3);
    await waits(t);
    t.world.clock.pass(DAY_MS);
    const fresh = await t.send("alice", roomId);
    await asked(t, 4);
    expect(t.gateway.events.slice(2)).toEqual([old, fresh]);
  });

  test("is tried at once when its pusher is set anew", async () => {
    const t = await open();
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    t.gateway.next = [500];
    const eventId = await t.send("alice", roomId);
    await asked(t, 1);
    await waits(t);
    await t.set("bob", { data: { url: url.replace("push.", "other.") } });
    await asked(t, 2);
    expect(t.gateway.events).toEqual([eventId, eventId]);
    expect(t.gateway.asked[1]!.url).toContain("other.");
  });
});

describe("under the next leader", () => {
  test("a gateway is told of the rest, and waited for as long", async () => {
    const t = await open();
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    const first = await t.send("alice", roomId);
    await asked(t, 1);
    t.gateway.next = [500];
    const second = await t.send("alice", roomId);
    await asked(t, 2);
    await waits(t);
    await t.storage.flushed();
    t.push.close();
    const next = await open(t.storage.name, t.world);
    const third = await next.send("alice", roomId);
    await next.push.caughtUp(next.storage.position);
    await waits(next);
    next.world.clock.pass(999);
    expect(t.gateway.asked).toHaveLength(2);
    next.world.clock.pass(1);
    await asked(next, 4);
    expect(t.gateway.events).toEqual([first, second, second, third]);
  });

  test("what was not judged yet is told by that one", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.set("bob");
    t.push.close();
    const sent = [await t.send("alice", roomId), await t.send("alice", roomId)];
    const next = await open(t.storage.name, t.world);
    await asked(next, 2);
    expect(t.gateway.events).toEqual(sent);
  });
});

test("after a rollback nothing is told twice, and nothing is left out", async () => {
  const t = await open();
  const roomId = await t.roomOf("alice", "bob");
  await t.set("bob");
  const sent = [await t.send("alice", roomId)];
  await asked(t, 1);
  await failCommit(t.storage);
  sent.push(await t.send("alice", roomId));
  await asked(t, 2);
  expect(t.gateway.events).toEqual(sent);
  expect(await t.counts("bob", roomId)).toEqual(unread(2));
});

test("a pusher whose row has gone with its device is not served any more", async () => {
  const t = await open();
  const roomId = await t.roomOf("alice", "bob");
  await t.set("bob");
  await t.set("bob", { pushkey: "second" });
  const { userId } = t.user("bob");
  await t.storage.commit((write) => write.delete("pushers", [userId, phone.app_id, "key"]));
  await t.send("alice", roomId);
  await asked(t, 1);
  expect(t.gateway.asked[0]!.notification.devices).toMatchObject([{ pushkey: "second" }]);
  // What it had come to is forgotten with the next start.
  const orphan = { start: 1, sent: 1, failures: 0, notBefore: 0 };
  await t.storage.commit((write) => write.put("pushProgress", orphan, [userId, phone.app_id, "key"]));
  t.push.close();
  const next = await open(t.storage.name);
  await until(async () =>
    (await next.storage.getAllKeys("pushProgress")).every(([, , key]) => key === "second"),
  );
});
