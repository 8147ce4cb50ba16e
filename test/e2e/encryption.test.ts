import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("two people with two devices each", () => {
  let browser: DevicesPage;
  let alicePhone: DeviceHandle;
  let aliceLaptop: DeviceHandle;
  let bobPhone: DeviceHandle;
  let bobLaptop: DeviceHandle;
  let room: string;

  beforeAll(async () => {
    browser = await openDevicesPage();
    alicePhone = await browser.signUp("alice", "alice's phone");
    bobPhone = await browser.signUp("bob", "bob's phone");
    aliceLaptop = await browser.logIn("alice", "alice's laptop");
    bobLaptop = await browser.logIn("bob", "bob's laptop");
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  const compareEmoji = (asker: DeviceHandle, other: DeviceHandle, roomId?: string, same = true) =>
    browser.page.evaluate(
      ({ asker, other, roomId, same }) => window.devices.compareEmoji(asker, other, roomId, same),
      { asker, other, roomId, same },
    );

  /** Sends a text from one device. @returns which others read it: of whom, and whether it was encrypted */
  const saidAndRead = async (from: DeviceHandle, body: string, readers: DeviceHandle[]) => {
    await from.evaluate((device, [room, body]) => device.say(room, body), [room, body] as const);
    return Promise.all(
      readers.map((reader) =>
        reader.evaluate(
          async (device, [room, body]) => {
            const event = await device.message(room, body);
            return `${device.name}: ${event.isEncrypted() ? "encrypted" : "in clear"}`;
          },
          [room, body] as const,
        ),
      ),
    );
  };

  test("each makes keys for cross-signing, which the first time takes no password", async () => {
    for (const phone of [alicePhone, bobPhone]) {
      const ready = await phone.evaluate(async ({ crypto }) => {
        await crypto.bootstrapCrossSigning({
          authUploadDeviceSigningKeys: (makeRequest) => makeRequest(null),
        });
        return crypto.isCrossSigningReady();
      });
      expect(ready).toBe(true);
    }
  });

  test("emoji that differ end a verification, and the device stays a stranger", async () => {
    const verdict = await compareEmoji(aliceLaptop, alicePhone, undefined, false);
    expect(verdict.done).toBe(false);
    const verified = await alicePhone.evaluate(async (phone, laptop) => {
      const status = await phone.crypto.getDeviceVerificationStatus(phone.userId, laptop.deviceId);
      return status?.crossSigningVerified;
    }, aliceLaptop);
    expect(verified).toBe(false);
  });

  test("each verifies their second device by emoji, which is given the secrets", async () => {
    for (const [phone, laptop] of [
      [alicePhone, aliceLaptop],
      [bobPhone, bobLaptop],
    ] as const) {
      const verdict = await compareEmoji(laptop, phone);
      expect(verdict.done).toBe(true);
      expect(verdict.shownToAsker.split(" ").length).toBeGreaterThanOrEqual(7);
      expect(verdict.shownToAsker).toBe(verdict.shownToOther);
      await browser.page.evaluate(
        async ([phone, laptop]) => {
          await phone.until("its owner's signature on the laptop", async () => {
            const status = await phone.crypto.getDeviceVerificationStatus(laptop.userId, laptop.deviceId);
            return status?.crossSigningVerified;
          });
          // The SDK claims a key to send the secrets with, and sends them only after its next sync.
          const claimed = () =>
            phone.line.sent.some(({ path, status }) => path.endsWith("/keys/claim") && status === 200);
          await phone.until("a session with the laptop", claimed);
          await phone.wakeSync();
          const status = () => laptop.crypto.getCrossSigningStatus();
          await laptop.until(
            "the private keys",
            async () => Object.values((await status()).privateKeysCachedLocally).every(Boolean),
            status,
          );
        },
        [phone, laptop] as const,
      );
    }
  });

  test("alice makes an encrypted room, and bob comes in", async () => {
    const bob = await bobPhone.evaluate((device) => device.userId);
    room = await alicePhone.evaluate(
      (device, bob) => device.createRoom({ encrypted: true, invite: [bob] }),
      bob,
    );
    await bobPhone.evaluate((device, room) => device.acceptInvite(room), room);
    for (const device of [alicePhone, aliceLaptop, bobPhone, bobLaptop]) {
      await device.evaluate(
        async (device, [room, bob]) => {
          await device.room(room, true);
          await device.seesMember(room, bob);
        },
        [room, bob] as const,
      );
    }
  });

  test("what any device says, the three others read", async () => {
    const all = [alicePhone, aliceLaptop, bobPhone, bobLaptop];
    const everybody = ["alice's phone", "alice's laptop", "bob's phone", "bob's laptop"];
    for (const [index, device] of all.entries()) {
      const read = await saidAndRead(device, `from ${everybody[index]}`, all);
      expect(read).toEqual(everybody.map((name) => `${name}: encrypted`));
    }
  });

  test("the homeserver has none of it in clear", async () => {
    const types = await alicePhone.evaluate(async ({ client }, room) => {
      const page = await client.createMessagesRequest(room, null, 100, "b" as never);
      return page.chunk.map(({ type, content }) => (content.body === undefined ? type : "in clear"));
    }, room);
    expect(types.filter((type) => type === "m.room.encrypted")).toHaveLength(4);
    expect(types).not.toContain("m.room.message");
    expect(types).not.toContain("in clear");
  });

  test("alice and bob verify one another in the room, and their other devices learn of it", async () => {
    const verdict = await compareEmoji(alicePhone, bobPhone, room);
    expect(verdict.done).toBe(true);
    expect(verdict.shownToAsker).toBe(verdict.shownToOther);
    for (const [device, other] of [
      [alicePhone, bobPhone],
      [aliceLaptop, bobPhone],
      [bobPhone, alicePhone],
      [bobLaptop, alicePhone],
    ] as const) {
      await device.evaluate(
        (device, { userId }) =>
          device.until(`trust in ${userId}`, async () =>
            (await device.crypto.getUserVerificationStatus(userId)).isCrossSigningVerified(),
          ),
        other,
      );
    }
  });

  test("what was said while a device was away, it reads when it is back", async () => {
    await bobLaptop.evaluate(({ line }) => line.cut());
    // A new session has to reach it as well: its key waits among the messages to the device.
    await alicePhone.evaluate(({ crypto }, room) => crypto.forceDiscardSession(room), room);
    const bodies = Array.from({ length: 30 }, (_, index) => `while you were out, ${index}`);
    for (const body of bodies) {
      await alicePhone.evaluate((device, [room, body]) => device.say(room, body), [room, body] as const);
    }
    await bobPhone.evaluate((device, [room, body]) => device.message(room, body).then(() => undefined), [
      room,
      bodies.at(-1)!,
    ] as const);
    const before = await bobLaptop.evaluate(
      ({ client }, room) =>
        client
          .getRoom(room)
          ?.getLiveTimeline()
          .getEvents()
          .map((event) => event.getContent().body),
      room,
    );
    expect(before).not.toContain(bodies[0]);
    await bobLaptop.evaluate(({ line }) => line.mend());
    const read = await bobLaptop.evaluate(
      async (device, [room, bodies]) => {
        await device.message(room, bodies.at(-1)!);
        // A gap in the sync is filled as a client does when its user scrolls up.
        const timeline = device.client.getRoom(room)!.getLiveTimeline();
        const texts = () => timeline.getEvents().map((event) => event.getContent().body as string);
        while (!texts().includes(bodies[0]!)) {
          if (!(await device.client.paginateEventTimeline(timeline, { backwards: true }))) break;
        }
        await Promise.all(bodies.map((body) => device.message(room, body)));
        return texts().filter((text) => bodies.includes(text));
      },
      [room, bodies] as const,
    );
    expect(read).toEqual(bodies);
  });
});
