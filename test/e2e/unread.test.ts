import type { IPushRule, PushRuleKind } from "matrix-js-sdk/lib/matrix.js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("what somebody has not read, on both of their devices", () => {
  let browser: DevicesPage;
  let phone: DeviceHandle;
  let laptop: DeviceHandle;
  let bob: DeviceHandle;
  const at = { room: "", root: "", last: "" };

  beforeAll(async () => {
    browser = await openDevicesPage();
    phone = await browser.signUp("alice", "alice's phone");
    laptop = await browser.logIn("alice", "alice's laptop");
    bob = await browser.signUp("bob", "bob's phone");
    const invited = await bob.evaluate(({ userId }) => userId);
    at.room = await phone.evaluate((device, invited) => device.createRoom({ invite: [invited] }), invited);
    await bob.evaluate((device, room) => device.acceptInvite(room), at.room);
    at.root = await phone.evaluate((device, { room }) => device.say(room, "What is for dinner?"), at);
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  const bobSays = (body: string, thread: string | null = null) =>
    bob.evaluate(
      async ({ client, line }, { room, thread, body }) => {
        const { event_id } = await line.beforeSync(() =>
          client.sendMessage(room, thread, { msgtype: "m.text", body } as never),
        );
        return event_id;
      },
      { room: at.room, thread, body },
    );

  type Counts = { room: number; thread: number; highlights: number };
  /** Waits until both devices count so much. */
  const counted = async (wanted: Counts) => {
    for (const device of [phone, laptop]) {
      await device.evaluate(
        (device, { room, root, wanted }) => {
          const counts = () => {
            const known = device.client.getRoom(room);
            return {
              room: known?.getRoomUnreadNotificationCount("total" as never),
              thread: known?.getThreadUnreadNotificationCount(root, "total" as never),
              highlights: known?.getUnreadNotificationCount("highlight" as never),
            };
          };
          return device.until(
            JSON.stringify(wanted),
            () => JSON.stringify(counts()) === JSON.stringify(wanted),
            counts,
          );
        },
        { room: at.room, root: at.root, wanted },
      );
    }
  };
  /** Waits until a device's sync has brought a change of the push rules. */
  const ruleSeen = (device: DeviceHandle, kind: "content" | "room", id: string, enabled?: boolean) =>
    device.evaluate(
      async (device, { kind, id, enabled }) => {
        const rules = () =>
          (device.client.pushRules?.global[kind as PushRuleKind.RoomSpecific] ?? []) as IPushRule[];
        const rule = () => rules().find(({ rule_id }) => rule_id === id);
        await device.until(
          `${kind} rule ${id}`,
          () => (enabled === undefined ? rule() === undefined : rule()?.enabled === enabled),
          rules,
        );
      },
      { kind, id, enabled },
    );

  test("is counted in the room and in each thread", async () => {
    await bobSays("Hello?");
    at.last = await bobSays("Anybody there?");
    await bobSays("Soup", at.root);
    await counted({ room: 2, thread: 1, highlights: 0 });
  });

  test("is less by what one device has read", async () => {
    const read = (device: DeviceHandle, eventId: string) =>
      device.evaluate(
        async (device, [room, eventId]) => {
          await device.client.sendReadReceipt(await device.event(room, eventId));
        },
        [at.room, eventId] as const,
      );
    await read(phone, at.last);
    await counted({ room: 0, thread: 1, highlights: 0 });
    const inThread = await bobSays("Again", at.root);
    await counted({ room: 0, thread: 2, highlights: 0 });
    await read(laptop, inThread);
    await counted({ room: 0, thread: 0, highlights: 0 });
  });

  test("stands out by a word that one device has asked for", async () => {
    await phone.evaluate(({ client }) =>
      client.addPushRule("global", "content" as PushRuleKind, "soup", {
        pattern: "soup",
        actions: ["notify", { set_tweak: "highlight" }] as never,
      }),
    );
    await ruleSeen(laptop, "content", "soup", true);
    await bobSays("There is SOUP.");
    await counted({ room: 1, thread: 0, highlights: 1 });
  });

  test("does not, once the other device has switched the word off", async () => {
    await laptop.evaluate(({ client }) =>
      client.setPushRuleEnabled("global", "content" as PushRuleKind, "soup", false),
    );
    await ruleSeen(phone, "content", "soup", false);
    await bobSays("More soup?");
    await counted({ room: 2, thread: 0, highlights: 1 });
  });

  test("is not counted in a room that one device has muted", async () => {
    await phone.evaluate(({ client }, { room }) => client.setRoomMutePushRule("global", room, true), at);
    await ruleSeen(laptop, "room", at.room, true);
    at.last = await bobSays("It is getting cold.");
    await laptop.evaluate(
      (device, { room }) => device.message(room, "It is getting cold.").then(() => undefined),
      at,
    );
    await counted({ room: 2, thread: 0, highlights: 1 });
  });

  test("is counted again when the other has lifted that", async () => {
    await laptop.evaluate(({ client }, { room }) => client.setRoomMutePushRule("global", room, false), at);
    await ruleSeen(phone, "room", at.room);
    await bobSays("Never mind.");
    await counted({ room: 3, thread: 0, highlights: 1 });
  });
});
