import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Network, openNetwork } from "./support/network.ts";
import { synapsePython } from "./support/synapse.ts";

describe.skipIf(synapsePython === undefined)("when one of a Synapse and a tab is gone for a while", () => {
  let network: Network;
  beforeAll(async () => {
    network = await openNetwork();
  });
  afterAll(() => network?.end());

  async function together() {
    const { sue, hal } = await network.people();
    const roomId = await sue.createRoom({ preset: "public_chat" });
    expect(await hal.join(roomId, sue)).toMatchObject({ status: 200 });
    await sue.sawMembership(roomId, hal, "join");
    await hal.say(roomId, "here");
    await sue.hears(roomId, "here");
    return { sue, hal, roomId };
  }
  const texts = Array.from({ length: 5 }, (_, n) => `meanwhile ${n}`);

  test("Synapse gets what the tab has sent meanwhile, in its order", async () => {
    const { sue, hal, roomId } = await together();
    await network.synapse.stop();
    for (const text of texts) await hal.say(roomId, text);
    await network.synapse.start();
    await sue.hears(roomId, "meanwhile 4");
    await hal.say(roomId, "at last");
    await sue.hears(roomId, "at last");
    const heard = await sue.eventually("all of it", async () => {
      const all = await sue.texts(roomId);
      return texts.every((text) => all.includes(text)) && all;
    });
    expect(heard.filter((text) => texts.includes(text))).toEqual(texts);
  });

  test("the tab finds what Synapse has sent meanwhile, once and in its order", async () => {
    const { sue, hal, roomId } = await together();
    await network.hearth.stop();
    for (const text of texts) await sue.say(roomId, text);
    await network.hearth.start();
    await hal.hears(roomId, "meanwhile 4");
    await hal.say(roomId, "good morning");
    await sue.hears(roomId, "good morning");
    const heard = (await hal.texts(roomId)).filter((text) => texts.includes(text));
    expect(heard).toEqual(texts);
  });

  test("an invite to a tab that is closed fails at once, and goes through when it is open", async () => {
    const { sue, hal } = await network.people();
    const roomId = await sue.createRoom({ preset: "private_chat" });
    await network.hearth.stop();
    // Synapse says that nobody could be asked, and its user asks again.
    expect(
      (await sue.ask("POST", `/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: hal.userId })).status,
    ).not.toBe(200);
    await network.hearth.start();
    await sue.eventually("a way to the tab", async () => {
      const path = `/rooms/${encodeURIComponent(roomId)}/invite`;
      return (await sue.ask("POST", path, { user_id: hal.userId })).status === 200;
    });
    await hal.isInvited(roomId);
  });
});
