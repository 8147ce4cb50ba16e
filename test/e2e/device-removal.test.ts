import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("a device that its owner removes", () => {
  let browser: DevicesPage;
  let alicePhone: DeviceHandle;
  let aliceLaptop: DeviceHandle;
  let bobPhone: DeviceHandle;
  let room: string;
  const ids = { alice: "", laptop: "", bob: "" };

  beforeAll(async () => {
    browser = await openDevicesPage();
    alicePhone = await browser.signUp("alice", "alice's phone");
    aliceLaptop = await browser.logIn("alice", "alice's laptop");
    bobPhone = await browser.signUp("bob", "bob's phone");
    ids.alice = await alicePhone.evaluate(({ userId }) => userId);
    ids.laptop = await aliceLaptop.evaluate(({ deviceId }) => deviceId);
    ids.bob = await bobPhone.evaluate(({ userId }) => userId);
    room = await alicePhone.evaluate(
      (device, invited) => device.createRoom({ encrypted: true, invite: [invited] }),
      ids.bob,
    );
    await bobPhone.evaluate((device, room) => device.acceptInvite(room), room);
    await bobPhone.evaluate((device, room) => device.room(room, true).then(() => undefined), room);
    await bobPhone.evaluate((device, { alice, laptop }) => device.knowsDevice(alice, laptop), ids);
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  /** Says something on bob's phone. @returns for which of alice's devices he encrypted the key, and the session */
  const bobSays = (body: string) =>
    bobPhone.evaluate(
      async (device, { room, alice, body }) => {
        const before = device.line.sent.length;
        const eventId = await device.say(room, body);
        const keys = device.line.sent
          .slice(before)
          .filter(({ path }) => path.includes("/sendToDevice/m.room.encrypted/"))
          .flatMap((sent) => Object.keys(JSON.parse(sent.body).messages[alice] ?? {}));
        const event = await device.event(room, eventId);
        return { keys: keys.sort(), session: event.getWireContent().session_id as string };
      },
      { room, alice: ids.alice, body },
    );
  const deviceIds = (device: DeviceHandle) =>
    device.evaluate(async ({ client }) => {
      const { devices } = await client.getDevices();
      return devices.map(({ device_id }) => device_id).sort();
    });

  /** What the laptop was answered when it synced, 0 where it waits. */
  const syncs = () =>
    aliceLaptop.evaluate(({ line }) =>
      line.sent.filter(({ path }) => path.includes("/v3/sync?")).map(({ status }) => status),
    );

  let first: Awaited<ReturnType<typeof bobSays>>;
  /** How often it had synced then. */
  let atRemoval = 0;

  test("reads what is said, as long as it is there", async () => {
    first = await bobSays("to both");
    expect(first.keys).toContain(ids.laptop);
    expect(first.keys).toHaveLength(2);
    for (const device of [alicePhone, aliceLaptop]) {
      await device.evaluate((device, room) => device.message(room, "to both").then(() => undefined), room);
    }
  });

  test("goes only with the password", async () => {
    const remove = (password: string) =>
      alicePhone.evaluate(
        async ({ client, userId }, { laptop, password }) => {
          type Challenge = {
            httpStatus: number;
            errcode?: string;
            data: { session: string; flows: object[] };
          };
          const challenge = await client.deleteDevice(laptop).then(
            () => undefined,
            (error: Challenge) => error,
          );
          if (challenge === undefined) throw new Error("the device went without a password");
          const answer = await client
            .deleteDevice(laptop, {
              type: "m.login.password",
              identifier: { type: "m.id.user", user: userId },
              password,
              session: challenge.data.session,
            })
            .then(
              () => "removed",
              (error: Challenge) => `${error.httpStatus} ${error.errcode}`,
            );
          return { challenged: challenge.httpStatus, flows: challenge.data.flows, answer };
        },
        { laptop: ids.laptop, password },
      );
    expect(await remove("a guess")).toMatchObject({
      challenged: 401,
      flows: expect.arrayContaining([{ stages: ["m.login.password"] }]),
      answer: "401 M_FORBIDDEN",
    });
    expect(await deviceIds(alicePhone)).toContain(ids.laptop);
    expect(await remove("the password of alice")).toMatchObject({ answer: "removed" });
    atRemoval = (await syncs()).length;
    expect(await deviceIds(alicePhone)).not.toContain(ids.laptop);
  });

  test("is told that it is logged out by the sync that waits", async () => {
    await aliceLaptop.evaluate((device) => device.until("its logout", () => device.loggedOut));
    const answered = await syncs();
    expect(answered).toHaveLength(atRemoval);
    expect(answered.at(-1)).toBe(401);
    const whoami = await aliceLaptop.evaluate(({ client }) =>
      client.whoami().then(
        () => "known",
        (error: { httpStatus: number; errcode: string }) => `${error.httpStatus} ${error.errcode}`,
      ),
    );
    expect(whoami).toBe("401 M_UNKNOWN_TOKEN");
  });

  test("is gone from what others know of its owner", async () => {
    await bobPhone.evaluate(
      (device, { alice, laptop }) =>
        device.until("the removal of the laptop", async () => {
          const devices = await device.crypto.getUserDeviceInfo([alice]);
          return !devices.get(alice)?.has(laptop);
        }),
      ids,
    );
  });

  test("gets no key to what is said afterwards", async () => {
    const after = await bobSays("to the phone");
    // A session that the laptop has the key of is given up.
    expect(after.session).not.toBe(first.session);
    expect(after.keys).toHaveLength(1);
    expect(after.keys).not.toContain(ids.laptop);
    await alicePhone.evaluate(
      (device, room) => device.message(room, "to the phone").then(() => undefined),
      room,
    );
  });

  test("comes back as another device, which reads only what is said from then on", async () => {
    const back = await browser.logIn("alice", "alice's laptop");
    const backId = await back.evaluate(({ deviceId }) => deviceId);
    expect(backId).not.toBe(ids.laptop);
    await bobPhone.evaluate((device, [alice, backId]) => device.knowsDevice(alice, backId), [
      ids.alice,
      backId,
    ] as const);
    expect((await bobSays("to the newcomer")).keys).toContain(backId);
    const texts = await back.evaluate(async (device, room) => {
      await device.message(room, "to the newcomer");
      const events = device.client.getRoom(room)!.getLiveTimeline().getEvents();
      return events.map((event) => event.getContent().body);
    }, room);
    expect(texts).not.toContain("to both");
  });
});
