import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { signJson } from "../../src/matrix/signing.ts";
import { type Network, openNetwork } from "./support/network.ts";
import type { Person } from "./support/person.ts";
import { synapsePython } from "./support/synapse.ts";

describe.skipIf(synapsePython === undefined)(
  "what a Synapse and a tab tell one another beside events",
  () => {
    let network: Network;
    beforeAll(async () => {
      network = await openNetwork();
    });
    afterAll(() => network?.end());

    /** Somebody on each side, in the same room: the first is on the server that is named. */
    async function together(from: string) {
      const { sue, hal } = await network.people();
      const roomId = await sue.createRoom({ preset: "public_chat" });
      expect(await hal.join(roomId, sue)).toMatchObject({ status: 200 });
      await sue.sawMembership(roomId, hal, "join");
      const [one, other] = from === "Synapse" ? [sue, hal] : [hal, sue];
      return { one, other, roomId, room: `/rooms/${encodeURIComponent(roomId)}` };
    }

    type Ephemeral = { type: string; content: Record<string, unknown> };
    const ephemeral = (roomId: string, type: string) => (sync: { rooms?: Record<string, never> }) => {
      const rooms = sync.rooms as
        | { join?: Record<string, { ephemeral?: { events?: Ephemeral[] } }> }
        | undefined;
      return rooms?.join?.[roomId]?.ephemeral?.events?.find((event) => event.type === type)?.content;
    };

    describe.each(["Synapse", "the tab"])("from %s", (from) => {
      test("typing, and that it has stopped", async () => {
        const { one, other, roomId, room } = await together(from);
        const path = `${room}/typing/${encodeURIComponent(one.userId)}`;
        await one.do("PUT", path, { typing: true, timeout: 30_000 });
        const typists = () => (sync: Parameters<ReturnType<typeof ephemeral>>[0]) =>
          (ephemeral(roomId, "m.typing")(sync)?.user_ids as string[] | undefined) ?? [];
        await other.sees("typing", (sync) => typists()(sync).includes(one.userId));
        await one.do("PUT", path, { typing: false });
        await other.sees("no typing", (sync) => !typists()(sync).includes(one.userId));
      });

      test("receipts", async () => {
        const { one, other, roomId, room } = await together(from);
        const eventId = await other.say(roomId, "read this");
        await one.hears(roomId, "read this");
        await one.do("POST", `${room}/receipt/m.read/${encodeURIComponent(eventId)}`, {});
        await other.sees("the receipt", (sync) => {
          const receipts = ephemeral(roomId, "m.receipt")(sync) as
            | Record<string, { "m.read"?: Record<string, unknown> }>
            | undefined;
          return receipts?.[eventId]?.["m.read"]?.[one.userId] !== undefined;
        });
      });

      test("presence", async () => {
        const { one, other } = await together(from);
        const path = `/presence/${encodeURIComponent(one.userId)}/status`;
        await one.do("PUT", path, { presence: "online", status_msg: "in the garden" });
        await other.eventually("the status", async () => {
          const { status, json } = await other.ask("GET", path);
          return status === 200 && json.status_msg === "in the garden";
        });
      });

      test("profiles, when they are asked for and in rooms", async () => {
        const { one, other, room } = await together(from);
        const profile = `/profile/${encodeURIComponent(one.userId)}`;
        await one.do("PUT", `${profile}/displayname`, { displayname: "Somebody Else" });
        expect(await other.do("GET", profile)).toMatchObject({ displayname: "Somebody Else" });
        await other.eventually("the name in the room", async () => {
          const member = await other.do(
            "GET",
            `${room}/state/m.room.member/${encodeURIComponent(one.userId)}`,
          );
          return member.displayname === "Somebody Else";
        });
      });

      test("messages to a device, once and in order", async () => {
        const { one, other } = await together(from);
        for (const n of [1, 2, 3]) {
          const messages = { [other.userId]: { [other.deviceId]: { n } } };
          await one.do("PUT", `/sendToDevice/org.example.counted/${one.deviceId}-${n}`, { messages });
        }
        const numbers = await other.sees("three messages", ({ to_device: toDevice }) => {
          const events = (toDevice?.events ?? []) as { sender: string; content: { n: number } }[];
          return events.length >= 3 && events.map(({ content }) => content.n);
        });
        expect(numbers).toEqual([1, 2, 3]);
      });

      test("devices and their keys, and that there are new ones", async () => {
        const { one, other } = await together(from);
        const since = (await other.sync()).next_batch;
        await uploadKeys(one);
        await other.eventually("the change", async () => {
          const sync = await other.do("GET", `/sync?timeout=0&since=${since}`);
          return (sync.device_lists?.changed as string[] | undefined)?.includes(one.userId);
        });
        const { device_keys: keys } = await other.do("POST", "/keys/query", {
          device_keys: { [one.userId]: [] },
        });
        expect(Object.keys(keys[one.userId])).toEqual([one.deviceId]);
        const { one_time_keys: claimed } = await other.do("POST", "/keys/claim", {
          one_time_keys: { [one.userId]: { [one.deviceId]: "signed_curve25519" } },
        });
        expect(Object.keys(claimed[one.userId][one.deviceId])).toEqual(["signed_curve25519:AAAA"]);
      });
    });
  },
);

/** As a device does, signed by the device. */
async function uploadKeys(person: Person): Promise<void> {
  const { userId, deviceId } = person;
  const ed25519 = await chooseEd25519(crypto.subtle);
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const keyId = `ed25519:${deviceId}`;
  const publicKey = await ed25519.publicKey(seed);
  const sign = await ed25519.signer(seed);
  const signed = (json: JsonObject) => signJson(json, userId, keyId, sign);
  await person.do("POST", "/keys/upload", {
    device_keys: await signed({
      ...{ user_id: userId, device_id: deviceId },
      algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
      keys: { [`curve25519:${deviceId}`]: "A".repeat(43), [keyId]: encodeBase64(publicKey) },
    }),
    one_time_keys: { "signed_curve25519:AAAA": await signed({ key: "A".repeat(43) }) },
  });
}
