import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("a device that syncs by windows", () => {
  let browser: DevicesPage;
  let phone: DeviceHandle;
  let sliding: DeviceHandle;
  let bob: DeviceHandle;
  let rooms: string[];
  let secret: string;

  beforeAll(async () => {
    browser = await openDevicesPage();
    phone = await browser.signUp("alice", "alice's phone");
    bob = await browser.signUp("bob", "bob's phone");
    rooms = await phone.evaluate(async (device) => {
      const rooms: string[] = [];
      for (let number = 0; number < 6; number++) {
        const { room_id } = await device.client.createRoom({ name: `Room ${number}` });
        await device.say(room_id, `in room ${number}`);
        rooms.push(room_id);
      }
      return rooms;
    });
    sliding = await browser.logInSliding("alice", "alice's tablet", {
      ranges: [[0, 2]],
      timeline_limit: 5,
      required_state: [["*", "*"]],
    });
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  const known = (device: DeviceHandle) =>
    device.evaluate(({ client }) => client.getRooms().map(({ roomId }) => roomId));

  test("has the newest rooms first, and no others", async () => {
    expect((await known(sliding)).sort()).toEqual(rooms.slice(-3).sort());
    const [newest] = rooms.slice(-1);
    const shown = await sliding.evaluate(async (device, room) => {
      await device.message(room, "in room 5");
      return { name: device.client.getRoom(room)?.name, listed: device.sliding?.getListData("rooms") };
    }, newest!);
    expect(shown).toEqual({ name: "Room 5", listed: { joinedCount: rooms.length } });
    const used = await sliding.evaluate(({ line }) =>
      line.sent.filter(({ path }) => path.includes("/sync")).map(({ path }) => path.replace(/[?].*/, "")),
    );
    expect(new Set(used)).toEqual(new Set(["/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"]));
  });

  test("is brought the room that something happens in", async () => {
    const [oldest] = rooms;
    await phone.evaluate((device, room) => device.say(room, "up again"), oldest!);
    await sliding.evaluate((device, room) => device.message(room, "up again").then(() => undefined), oldest!);
    expect(await known(sliding)).toContain(oldest);
  });

  test("has all rooms once its window is wide enough", async () => {
    const count = await sliding.evaluate(async (device, wanted) => {
      device.sliding?.setListRanges("rooms", [[0, 19]]);
      await device.until(
        "all rooms",
        () => device.client.getRooms().length === wanted,
        () => device.client.getRooms().length,
      );
      return device.client.getRooms().length;
    }, rooms.length);
    expect(count).toBe(rooms.length);
  });

  test("reads and writes in an encrypted room that it is invited to", async () => {
    const alice = await phone.evaluate(({ userId }) => userId);
    secret = await bob.evaluate(
      (device, alice) => device.createRoom({ encrypted: true, invite: [alice] }),
      alice,
    );
    await sliding.evaluate((device, room) => device.acceptInvite(room), secret);
    await bob.evaluate((device, [room, alice]) => device.seesMember(room, alice), [secret, alice] as const);
    const tablet = await sliding.evaluate(({ deviceId }) => deviceId);
    await bob.evaluate((device, [alice, tablet]) => device.knowsDevice(alice, tablet), [
      alice,
      tablet,
    ] as const);
    await bob.evaluate((device, room) => device.say(room, "Can you read this?"), secret);
    const read = await sliding.evaluate(
      async (device, room) => (await device.message(room, "Can you read this?")).isEncrypted(),
      secret,
    );
    expect(read).toBe(true);
    await sliding.evaluate(async (device, room) => {
      await device.room(room, true);
      await device.say(room, "I can");
    }, secret);
    const answered = await bob.evaluate(
      async (device, room) => (await device.message(room, "I can")).isEncrypted(),
      secret,
    );
    expect(answered).toBe(true);
  });

  test("is told what was typed, read and set elsewhere", async () => {
    const bobsId = await bob.evaluate(({ userId }) => userId);
    await bob.evaluate(async ({ client }, room) => {
      await client.sendTyping(room, true, 30_000);
    }, secret);
    await sliding.evaluate(
      (device, [room, bob]) =>
        device.until("that bob is typing", () => device.client.getRoom(room)?.getMember(bob)?.typing),
      [secret, bobsId] as const,
    );
    await bob.evaluate(async (device, room) => {
      await device.client.sendReadReceipt(await device.message(room, "I can"));
    }, secret);
    await sliding.evaluate(
      async (device, [room, bob]) => {
        const id = (await device.message(room, "I can")).getId()!;
        await device.until("that bob has read it", () =>
          device.client.getRoom(room)?.hasUserReadEvent(bob, id),
        );
      },
      [secret, bobsId] as const,
    );
    await phone.evaluate(
      ({ client }, room) => client.setRoomTag(room, "m.favourite", { order: 0.5 }),
      secret,
    );
    await sliding.evaluate(
      (device, room) => device.until("the tag", () => device.client.getRoom(room)?.tags["m.favourite"]),
      secret,
    );
  });
});
