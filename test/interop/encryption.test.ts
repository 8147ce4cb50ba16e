import { EventType, MsgType } from "matrix-js-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encryptingClient, reads } from "./support/encrypting.ts";
import { type Network, openNetwork } from "./support/network.ts";
import { synapsePython } from "./support/synapse.ts";

describe.skipIf(synapsePython === undefined)("encrypted rooms of a Synapse and a tab", () => {
  let network: Network;
  beforeAll(async () => {
    network = await openNetwork();
  });
  afterAll(() => network?.end());

  test.each(["Synapse", "the tab"])("of somebody on %s: both can read what both write", async (where) => {
    const { sue, hal } = await network.people();
    const [host, guest] = where === "Synapse" ? [sue, hal] : [hal, sue];
    const [hostClient, guestClient] = [await encryptingClient(host), await encryptingClient(guest)];
    const algorithm = { algorithm: "m.megolm.v1.aes-sha2" };
    const roomId = await host.createRoom({
      preset: "private_chat",
      initial_state: [{ type: EventType.RoomEncryption, content: algorithm }],
    });
    await host.invite(roomId, guest);
    await guest.isInvited(roomId);
    expect(await guest.join(roomId)).toMatchObject({ status: 200 });
    await host.sawMembership(roomId, guest, "join");
    for (const [from, to, text] of [
      [hostClient, guestClient, "can you read this?"],
      [guestClient, hostClient, "I can"],
    ] as const) {
      const isIn = () => from.getRoom(roomId)?.getJoinedMemberCount() === 2;
      await host.eventually("both in the room", async () => isIn());
      const read = reads(to, text);
      await from.sendMessage(roomId, { msgtype: MsgType.Text, body: text });
      await read;
    }
    // What the servers have seen says nothing.
    const sent = (await host.timeline(roomId)).filter(({ type }) => type === EventType.RoomMessageEncrypted);
    expect(sent).toHaveLength(2);
  });
});
