import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe.each([
  ["in clear", false],
  ["encrypted", true],
])("messages that belong to others, %s", (_, encrypted) => {
  let browser: DevicesPage;
  let alicePhone: DeviceHandle;
  let aliceLaptop: DeviceHandle;
  let bob: DeviceHandle;
  const at = { room: "", question: "", root: "", reaction: "" };

  beforeAll(async () => {
    browser = await openDevicesPage();
    alicePhone = await browser.signUp("alice", "alice's phone");
    aliceLaptop = await browser.logIn("alice", "alice's laptop");
    bob = await browser.signUp("bob", "bob's phone");
    const invited = await bob.evaluate(({ userId }) => userId);
    at.room = await alicePhone.evaluate((device, room) => device.createRoom(room), {
      encrypted,
      invite: [invited],
    });
    await bob.evaluate((device, room) => device.acceptInvite(room), at.room);
    for (const device of [alicePhone, bob]) {
      await device.evaluate(
        async (device, { room, invited, encrypted }) => {
          await device.room(room, encrypted);
          await device.seesMember(room, invited);
        },
        { ...at, invited, encrypted },
      );
    }
    at.question = await alicePhone.evaluate((device, { room }) => device.say(room, "Tea or coffee?"), at);
    at.root = await bob.evaluate((device, { room }) => device.say(room, "What is for dinner?"), at);
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  /**
   * Those who have followed it all, and a device that has just come: it has only what the homeserver puts together,
   * and no keys to read what is encrypted.
   */
  const all = async () => {
    const newcomers = encrypted ? [] : [await browser.logIn("alice", "a device of alice's that is new")];
    return [bob, aliceLaptop, ...newcomers];
  };

  test("a reaction is seen by all, and is gone when it is taken back", async () => {
    at.reaction = await bob.evaluate(async ({ client }, { room, question }) => {
      const relates = { rel_type: "m.annotation", event_id: question, key: "🍵" };
      const { event_id } = await client.sendEvent(
        room,
        "m.reaction" as never,
        { "m.relates_to": relates } as never,
      );
      return event_id;
    }, at);
    const reactionsOn = (device: DeviceHandle, count: number) =>
      device.evaluate(
        async (device, { room, question, count }) => {
          const found = () => {
            const relations = device.client.getRoom(room)?.relations;
            const children = relations?.getChildEventsForEvent(question, "m.annotation", "m.reaction");
            const byKey = children?.getSortedAnnotationsByKey() ?? [];
            // The SDK keeps a key that nobody reacts with any more.
            return byKey.map(([key, events]) => [key, events.size] as const).filter(([, size]) => size > 0);
          };
          await device.until("reactions", () => found().length === count, found);
          return found();
        },
        { ...at, count },
      );
    expect(await reactionsOn(aliceLaptop, 1)).toEqual([["🍵", 1]]);
    const listed = () =>
      alicePhone.evaluate(
        async ({ client }, { room, question }) =>
          (await client.relations(room, question, "m.annotation", "m.reaction")).events.map((event) =>
            event.getId(),
          ),
        at,
      );
    expect(await listed()).toEqual([at.reaction]);
    await bob.evaluate(
      ({ client }, { room, reaction }) => client.redactEvent(room, reaction).then(() => undefined),
      at,
    );
    expect(await reactionsOn(aliceLaptop, 0)).toEqual([]);
    expect(await listed()).toEqual([]);
  });

  test("an edit is shown in the message's place, on a new device as well", async () => {
    await alicePhone.evaluate(async ({ client }, { room, question }) => {
      await client.sendMessage(room, {
        msgtype: "m.text",
        body: "* Green tea or coffee?",
        "m.new_content": { msgtype: "m.text", body: "Green tea or coffee?" },
        "m.relates_to": { rel_type: "m.replace", event_id: question },
      } as never);
    }, at);
    for (const device of await all()) {
      const shown = await device.evaluate(async (device, { room, question }) => {
        const event = await device.event(room, question);
        await device.until("the edit", () => event.replacingEventId());
        return [event.getContent().body, event.getOriginalContent().body];
      }, at);
      expect(shown).toEqual(["Green tea or coffee?", "Tea or coffee?"]);
    }
  });

  test("a thread is the same to those who were there and to a new device", async () => {
    const reply = (device: DeviceHandle, body: string) =>
      device.evaluate(
        async ({ client, line }, { room, root, body }) => {
          const { event_id } = await line.beforeSync(() =>
            client.sendMessage(room, root, { msgtype: "m.text", body } as never),
          );
          return event_id;
        },
        { ...at, body },
      );
    const replies: string[] = [];
    for (const [sender, body] of [
      [alicePhone, "Soup"],
      [bob, "Again?"],
      [alicePhone, "Yes"],
    ] as const) {
      const before = replies.at(-1);
      // The SDK shows what oneself says before what has not arrived yet: each reply is to what has been seen.
      if (before !== undefined) {
        await sender.evaluate(
          (device, { room, before }) => device.event(room, before).then(() => undefined),
          { ...at, before },
        );
      }
      replies.push(await reply(sender, body));
    }
    for (const device of await all()) {
      const thread = await device.evaluate(async (device, { room, root }) => {
        const thread = () => device.client.getRoom(room)?.getThread(root);
        const texts = () => (thread()?.events ?? []).map((event) => event.getContent().body);
        await device.until(
          "three replies",
          // An encrypted reply is in its thread before it is decrypted.
          () => thread()?.length === 3 && texts().length === 4 && texts().every((text) => text !== undefined),
          () => [thread()?.length, texts()],
        );
        return {
          texts: texts(),
          last: thread()?.replyToEvent?.getId(),
          mine: thread()?.hasCurrentUserParticipated,
        };
      }, at);
      expect(thread).toEqual({
        texts: ["What is for dinner?", "Soup", "Again?", "Yes"],
        last: replies[2],
        mine: true,
      });
    }
    const list = await alicePhone.evaluate(async ({ client }, { room }) => {
      const page = await client.createThreadListMessagesRequest(room, null, 10);
      return page.chunk.map(({ event_id, unsigned }) => [
        event_id,
        unsigned?.["m.relations"]?.["m.thread"]?.count,
      ]);
    }, at);
    expect(list).toEqual([[at.root, 3]]);
  });

  test("a message that is redacted is empty, and its edit goes with it", async () => {
    await alicePhone.evaluate(
      ({ client }, { room, question }) => client.redactEvent(room, question).then(() => undefined),
      at,
    );
    for (const device of await all()) {
      const shown = await device.evaluate(async (device, { room, question }) => {
        const event = await device.event(room, question);
        await device.until("the redaction", () => event.isRedacted());
        return { content: event.getContent(), edit: event.getServerAggregatedRelation("m.replace") };
      }, at);
      expect(shown).toEqual({ content: {}, edit: undefined });
    }
  });
});
