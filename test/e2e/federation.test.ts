import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeHearth } from "../interop/support/hearth.ts";
import { personAt } from "../interop/support/person.ts";
import { freePorts } from "../interop/support/ports.ts";
import { makeAuthority } from "../relay/support/authority.ts";
import { startUdpProxy, type UdpProxy } from "../relay/support/udp-proxy.ts";
import type { Credentials } from "./support/device-page/device.ts";
import { type DeviceHandle, folderWithDevices } from "./support/devices.ts";
import { makeOtherServer } from "./support/other-server.ts";
import { OwnBrowser } from "./support/own-browser.ts";
import { type RelayProcess, startRelay } from "./support/relay-process.ts";

const numbered = (what: string, count: number) => Array.from({ length: count }, (_, n) => `${what} ${n + 1}`);

/** The chapters build on one another: each goes on where the one before it ended. */
describe("two people, each with a homeserver in a browser of their own, and one relay", () => {
  let folder: string;
  let pages: string;
  /** How packets of WebTransport get to the relay. */
  let packets: UdpProxy;
  let relay: RelayProcess;
  let startAgain: () => Promise<RelayProcess>;
  let alices: OwnBrowser;
  let bobs: OwnBrowser;
  let alice: DeviceHandle;
  let bob: DeviceHandle;
  let aliceId: string;
  let bobId: string;
  let bobsCredentials: Credentials;
  let room: string;
  /** Ids of what each has said in the encrypted room, and the texts, as they were sent. */
  const said = {
    alice: { ids: [] as string[], texts: [] as string[] },
    bob: { ids: [] as string[], texts: [] as string[] },
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-federation-"));
    pages = await folderWithDevices();
    const [port] = (await freePorts(1)) as [number];
    // QUIC listens at another address of this machine than the one that pages are told.
    packets = await startUdpProxy(port, "127.0.0.2", port);
    const flags = ["--public-url", `http://127.0.0.1:${port}`, "--quic-listen", `127.0.0.2:${port}`];
    startAgain = () => startRelay(join(folder, "relay"), port, flags, pages);
    relay = await startAgain();
    alices = new OwnBrowser(join(folder, "alice"), relay.url);
    bobs = new OwnBrowser(join(folder, "bob"), relay.url);
    await Promise.all([alices.open(), bobs.open()]);
  });
  afterAll(async () => {
    await Promise.all([alices?.close(), bobs?.close()]);
    await relay?.kill();
    packets?.close();
    await rm(folder, { recursive: true, force: true });
    await rm(pages, { recursive: true, force: true });
  });

  const connectedBy = (kind: string) =>
    Promise.all(
      [
        [alices, alice],
        [bobs, bob],
      ].map(async ([browser, device]) => {
        const token = await (device as DeviceHandle).evaluate(({ credentials }) => credentials.access_token);
        await expect
          .poll(() => (browser as OwnBrowser).relay(token), { timeout: 90_000 })
          .toMatchObject({ connection: "connected", kind });
      }),
    );

  const relayHasKeysOf = async (userId: string, deviceId: string) => {
    const other = await makeOtherServer();
    const server = userId.slice(userId.indexOf(":") + 1);
    const uri = "/_matrix/federation/v1/user/keys/query";
    const devices = async () =>
      (await other.ask(relay, server, "POST", uri, { device_keys: { [userId]: [] } })).text;
    await expect.poll(devices, { timeout: 20_000 }).toContain(deviceId);
    await expect
      .poll(async () => (await relay.ask(server, "GET", "/_matrix/federation/v1/publicRooms")).text)
      .toContain("This server is away");
  };

  const say = async (who: "alice" | "bob", texts: string[]) => {
    const ids = await (who === "alice" ? alice : bob).evaluate(
      async (device, [room, texts]) => {
        const ids: string[] = [];
        for (const text of texts) ids.push(await device.say(room, text));
        return ids;
      },
      [room, texts] as const,
    );
    said[who].ids.push(...ids);
    said[who].texts.push(...texts);
  };

  /** Whatever has been said so far is there: each of it once, in order, and legible. */
  const hasAll = async (reader: "alice" | "bob", sender: "alice" | "bob") => {
    const [device, senderId] = [reader === "alice" ? alice : bob, sender === "alice" ? aliceId : bobId];
    const { ids, texts } = said[sender];
    const read = await device.evaluate(
      async (device, [room, sender, last]) => ({
        texts: await device.whole(room, sender, last),
        ids: await device.idsOf(room, sender),
      }),
      [room, senderId, texts.at(-1)!] as const,
    );
    expect(read).toEqual({ texts, ids });
  };

  test("bob comes into alice's room by a link to it, and they talk", async () => {
    const [a, b] = [alices.person, bobs.person];
    await Promise.all([a.signUp("alice", "the password of alice"), b.signUp("bob", "the password of bob")]);
    [aliceId, bobId] = await Promise.all([a.userId(), b.userId()]);
    const server = aliceId.slice("@alice:".length);
    expect(bobId.slice("@bob:".length)).not.toBe(server);
    const garden = await a.createRoom("Garden", "public");
    await b.joinRoom(`https://matrix.to/#/${encodeURIComponent(garden)}?via=${server}`, garden);
    const texts = ["is anybody there?", "me, from another homeserver", "come in", "I have"];
    for (const [n, text] of texts.entries()) {
      const [speaker, listener] = n % 2 === 0 ? [a, b] : [b, a];
      await speaker.say(text);
      await listener.sees(text);
    }
    for (const person of [a, b]) expect(await person.timeline()).toEqual(texts);
  });

  test("in an encrypted room each reads what the other says", async () => {
    [alice, bob] = await Promise.all([
      alices.logIn("alice", "alice's laptop"),
      bobs.logIn("bob", "bob's laptop", true),
    ]);
    bobsCredentials = await bob.evaluate(({ credentials }) => credentials);
    room = await alice.evaluate(
      (device, bob) => device.createRoom({ encrypted: true, invite: [bob] }),
      bobId,
    );
    await bob.evaluate((device, room) => device.acceptInvite(room), room);
    for (const device of [alice, bob]) {
      await device.evaluate(
        async (device, [room, other]) => {
          await device.room(room, true);
          await device.seesMember(room, other);
        },
        [room, device === alice ? bobId : aliceId] as const,
      );
    }
    await say("alice", numbered("alice before", 3));
    await hasAll("bob", "alice");
    await say("bob", numbered("bob before", 3));
    await hasAll("alice", "bob");
    await connectedBy("webtransport");
  });

  test("what is said while one browser is closed is there when it is opened, also from a new device", async () => {
    // As a browser does with a tab that nobody looks at; from then on the relay answers for it.
    await bobs.page.evaluate(() => document.dispatchEvent(new Event("freeze")));
    await relayHasKeysOf(bobId, bobsCredentials.device_id);
    await bobs.close();
    await say("alice", numbered("while you were out", 20));
    // Its first message takes a key of bob's, which only the relay can give out now.
    const phone = await alices.logIn("alice", "alice's phone");
    const fromPhone = numbered("from my new phone", 3);
    const ids = await phone.evaluate(
      async (device, [room, texts]) => {
        await device.room(room, true);
        const ids: string[] = [];
        for (const text of texts) ids.push(await device.say(room, text));
        return ids;
      },
      [room, fromPhone] as const,
    );
    said.alice.ids.push(...ids);
    said.alice.texts.push(...fromPhone);

    await bobs.open();
    bob = await bobs.comeAgain("bob's laptop", bobsCredentials);
    await hasAll("bob", "alice");
    await say("bob", ["I am back"]);
    await hasAll("alice", "bob");
  });

  test("what is said while the relay is gone arrives when it is back, and at home all goes on", async () => {
    await relay.kill();
    await Promise.all([
      say("alice", numbered("alice without a relay", 10)),
      say("bob", numbered("bob without a relay", 10)),
    ]);
    await hasAll("alice", "alice");
    await hasAll("bob", "bob");
    relay = await startAgain();
    await Promise.all([hasAll("bob", "alice"), hasAll("alice", "bob")]);
  });
});

describe("two people, each with a homeserver and a relay of their own", () => {
  test("talk, also while one browser is closed; where the other's relay is gone each goes on at home", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-two-relays-"));
    const authority = await makeAuthority();
    const homes = [];
    try {
      for (const name of ["alice", "bob"]) homes.push(await makeHearth(join(folder, name), authority));
      const [alices, bobs] = homes as [(typeof homes)[0], (typeof homes)[0]];
      await Promise.all([alices.start(), bobs.start()]);
      const [alice, bob] = await Promise.all([personAt(alices, "alice"), personAt(bobs, "bob")]);
      const room = await alice.createRoom({ preset: "public_chat" });
      expect(await bob.join(room, alice)).toMatchObject({ status: 200 });
      await alice.sawMembership(room, bob, "join");
      const texts = ["over two relays", "and back"];
      await alice.say(room, texts[0]!);
      await bob.hears(room, texts[0]!);
      await bob.say(room, texts[1]!);
      await alice.hears(room, texts[1]!);

      await bobs.stop();
      const meanwhile = numbered("while bob's browser is closed", 5);
      for (const text of meanwhile) await alice.say(room, text);
      await bobs.start();
      await bob.hears(room, meanwhile.at(-1)!);
      expect(await bob.texts(room)).toEqual([...texts, ...meanwhile]);

      await bobs.relay.kill();
      await alice.say(room, "nobody hears this yet");
      expect(await alice.texts(room)).toEqual([...texts, ...meanwhile, "nobody hears this yet"]);
    } finally {
      for (const home of homes) await home.end();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
