import { expect, test } from "vitest";
import type { Notification } from "../../../src/worker-roomserver/push/notification.ts";
import { MOST_WAITING, PusherLine } from "../../../src/worker-roomserver/push/pushers/line.ts";
import { UnreadStore } from "../../../src/worker-roomserver/push/unread-store.ts";
import type { StoredEvent } from "../../../src/worker-roomserver/room/api.ts";
import type { PusherRow } from "../../../src/worker-roomserver/storage/schema.ts";
import { until } from "../support/rounds.ts";
import { testStorage } from "../support/storage.ts";
import { Clock, GatewayDouble } from "./support/push.ts";

const user = 1;
const room = 2;
const row: PusherRow = {
  userId: "@bob:h",
  appId: "a",
  pushkey: "k",
  deviceId: "D",
  json: JSON.stringify({ data: { url: "https://push.example.org/_matrix/push/v1/notify" } }),
  ts: 1,
  start: 0,
};

/** A line whose user has not read anything of these orders, and to which nothing has been said. */
async function line(orders: readonly number[]) {
  const storage = await testStorage();
  const gateway = new GatewayDouble();
  const clock = new Clock();
  await storage.commit((write) => {
    write.put("pushers", row);
    for (const order of orders) write.put("pushActions", [order, 0, "main"], [user, room, order]);
  });
  const event = (nid: number) =>
    ({
      nid,
      eventId: `$${nid}`,
      roomId: "!r:h",
      redactedBy: "",
      stateBefore: 0,
      pdu: { type: "m.room.message", sender: "@a:h", content: {} },
    }) as unknown as StoredEvent;
  const made = new PusherLine({
    storage,
    unread: new UnreadStore(storage),
    caughtUp: () => Promise.resolve(),
    room: {
      presentEvents: async (nids: readonly number[]) => nids.map(event),
      stateEntry: async () => undefined,
    } as never,
    devices: { whileDevice: (_, task) => task(), whileLoggedIn: (_, task) => task() },
    egress: gateway.egress,
    now: () => clock.now,
    later: clock.later,
    random: () => 0,
    rejected: () => Promise.resolve(),
    key: ["@bob:h", "a", "k"],
    user,
    progress: { start: 0, sent: 0, failures: 0, notBefore: 0 },
    gone: () => undefined,
  });
  const of = (order: number): Notification => ({
    order,
    event: order,
    room,
    highlight: false,
    ts: clock.now,
    actions: ["notify"],
  });
  return { made, gateway, of };
}

test("what it is told again, while it waits or when it is done with it, is sent once", async () => {
  const { made, gateway, of } = await line([1, 2, 3]);
  made.begin([of(2), of(1)]);
  made.take(of(2));
  await until(() => gateway.asked.length === 2 && made.sent === 2);
  for (const order of [1, 2, 3]) made.take(of(order));
  await until(() => made.sent === 3);
  expect(gateway.events).toEqual(["$1", "$2", "$3"]);
  made.close();
});

test("what comes before it has begun is sent behind what was there before", async () => {
  const { made, gateway, of } = await line([1, 2, 3]);
  made.take(of(3));
  made.begin([of(1), of(2), of(3)]);
  await until(() => made.sent === 3);
  expect(gateway.events).toEqual(["$1", "$2", "$3"]);
  made.close();
});

test("of more than may wait, the newest are sent", async () => {
  const orders = Array.from({ length: MOST_WAITING + 2 }, (_, i) => i + 1);
  const { made, gateway, of } = await line(orders);
  for (const order of orders) made.take(of(order));
  made.begin([]);
  await until(() => made.sent === orders.length);
  expect(gateway.events).toEqual(orders.slice(2).map((order) => `$${order}`));
  made.close();
});
