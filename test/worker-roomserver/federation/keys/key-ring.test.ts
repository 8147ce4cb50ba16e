import { describe, expect, test } from "vitest";
import type { LinkResponse } from "../../../../src/link/api.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { DAY, MINUTE, testKeyRing } from "../support/key-ring.ts";
import { endlessAnswer, hugeAnswer, neverAnswers, rawAnswer } from "../support/misbehaviour.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";
import { newKey, Peer } from "../support/peer.ts";

const KEY = "ed25519:test";
const DOCUMENT = "/_matrix/key/v2/server";

async function withPeer(name = "peer.example") {
  const network = new TestNetwork();
  const peer = await Peer.open(network, name);
  return { network, peer, publicKey: peer.keys.current.publicKey, ...(await testKeyRing(network)) };
}

describe("keys of servers", () => {
  test("a name that is a key needs nobody to be asked; this server's own key neither", async () => {
    const network = new TestNetwork();
    const { keyRing, serverName, key } = await testKeyRing(network);
    const named = await namedServer();
    expect(await keyRing.keyFor(named.serverName, "ed25519:any", Date.now())).toEqual(named.key.publicKey);
    expect(await keyRing.keyFor(serverName, key.keyId, Date.now())).toEqual(key.publicKey);
    expect(await keyRing.keyFor(serverName, "ed25519:other", Date.now())).toBeUndefined();
    expect(network.carried).toEqual([]);
  });

  test("are asked for once for all that wait, and kept over a restart", async () => {
    const { network, keyRing, storage, clock, asked, publicKey } = await withPeer();
    const found = await Promise.all(
      Array.from({ length: 20 }, () => keyRing.keyFor("peer.example", KEY, clock.now)),
    );
    expect(found).toEqual(Array(20).fill(Uint8Array.from(publicKey)));
    network.setDown("peer.example", true);
    const next = await testKeyRing(network, storage);
    expect(await next.keyRing.keyFor("peer.example", KEY, clock.now)).toEqual(Uint8Array.from(publicKey));
    expect(asked("peer.example")).toBe(1);
  });

  test("hold as long as they say, and then are asked for again", async () => {
    const { keyRing, clock, asked, peer, publicKey } = await withPeer();
    peer.keys.validUntil = () => clock.now + 10 * MINUTE;
    await keyRing.keyFor("peer.example", KEY, clock.now);
    clock.now += 9 * MINUTE;
    await keyRing.keyFor("peer.example", KEY, clock.now);
    expect(asked("peer.example")).toBe(1);
    clock.now += 2 * MINUTE;
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toEqual(Uint8Array.from(publicKey));
    expect(asked("peer.example")).toBe(2);
  });

  test("are believed for a week, whatever they say", async () => {
    const { keyRing, clock, network, peer } = await withPeer();
    peer.keys.validUntil = () => clock.now + 1000 * DAY;
    await keyRing.keyFor("peer.example", KEY, clock.now);
    network.setDown("peer.example", true);
    clock.now += 7 * DAY;
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeDefined();
    clock.now += 1;
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeUndefined();
  });

  test("a key that was given up counts for what is older, and not for requests", async () => {
    const { keyRing, clock, peer } = await withPeer();
    const old = await newKey("ed25519:old");
    const expiredAt = clock.now - DAY;
    peer.keys.old.push({ key: old, expiredAt });
    expect(await keyRing.keyFor("peer.example", "ed25519:old", expiredAt)).toEqual(
      Uint8Array.from(old.publicKey),
    );
    expect(await keyRing.keyFor("peer.example", "ed25519:old", expiredAt + 1)).toBeUndefined();
  });

  test("a new key is found, and the one before ends when the server says so", async () => {
    const { keyRing, clock, peer } = await withPeer();
    await keyRing.keyFor("peer.example", KEY, clock.now);
    const before = peer.keys.current;
    peer.keys.current = await newKey("ed25519:new");
    peer.keys.old.push({ key: before, expiredAt: clock.now });
    clock.now += 2 * MINUTE;
    expect(await keyRing.keyFor("peer.example", "ed25519:new", clock.now)).toEqual(
      Uint8Array.from(peer.keys.current.publicKey),
    );
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeUndefined();
  });

  test("a key that is made up does not make it ask more than once a minute", async () => {
    const { keyRing, clock, asked } = await withPeer();
    for (let i = 0; i < 5; i++) {
      expect(await keyRing.keyFor("peer.example", `ed25519:${i}`, clock.now)).toBeUndefined();
    }
    expect(asked("peer.example")).toBe(1);
    clock.now += MINUTE;
    await keyRing.keyFor("peer.example", "ed25519:5", clock.now);
    expect(asked("peer.example")).toBe(2);
  });

  test("a server that is not there is left alone for a minute", async () => {
    const { keyRing, clock, network, peer } = await withPeer();
    let asked = 0;
    peer.override("GET", DOCUMENT, () => {
      asked++;
      return rawAnswer("{}", 500);
    });
    for (let i = 0; i < 3; i++) await keyRing.keyFor("peer.example", KEY, clock.now);
    expect(asked).toBe(1);
    clock.now += MINUTE;
    peer.override("GET", DOCUMENT, () => peer.keyDocument());
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeDefined();
    expect(network.carried).toHaveLength(2);
  });

  test("the first key by an id stays, whoever has the name later", async () => {
    const { keyRing, clock, peer, publicKey, storage } = await withPeer();
    await keyRing.keyFor("peer.example", KEY, clock.now);
    peer.keys.current = await newKey(KEY);
    clock.now += 2 * DAY;
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeUndefined();
    expect(await keyRing.keyFor("peer.example", KEY, clock.now - 2 * DAY)).toEqual(
      Uint8Array.from(publicKey),
    );
    // Nor is the contradiction passed on to others.
    expect((await storage.get("serverKeys", "peer.example"))?.documents).toHaveLength(1);
  });

  test.each<[string, (peer: Peer) => LinkResponse | Promise<JsonObject>]>([
    ["that does not end", endlessAnswer],
    ["of a megabyte", () => hugeAnswer(1_000_000)],
    ["that is no JSON", () => rawAnswer("{")],
    ["that is no text", () => rawAnswer(Uint8Array.of(0x22, 0xff, 0x22))],
    ["that is no object", () => rawAnswer("[]")],
    ["of another server", (peer) => peer.keyDocument({ server_name: "other.example" })],
    ["that is not signed", async (peer) => ({ ...(await peer.keyDocument()), signatures: {} })],
    ["that was changed", async (peer) => ({ ...(await peer.keyDocument()), valid_until_ts: 9e15 })],
  ])("an answer %s gives no key", async (_, answer) => {
    const { keyRing, clock, peer } = await withPeer();
    peer.override("GET", DOCUMENT, () => answer(peer));
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeUndefined();
  });

  test("those who do not answer hold up nobody else", async () => {
    const { network, keyRing, clock } = await withPeer();
    const hanging = await Promise.all(
      Array.from({ length: 15 }, (_, i) => Peer.open(network, `hanging${i}.example`)),
    );
    for (const peer of hanging) peer.override("GET", DOCUMENT, neverAnswers);
    for (const { serverName } of hanging) void keyRing.keyFor(serverName, KEY, clock.now);
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeDefined();
  });

  test("what a server has published is asked for again if it does not hold long enough, and else is what there is", async () => {
    const { keyRing, clock, asked, peer, network } = await withPeer();
    peer.keys.validUntil = () => clock.now + DAY;
    const old = peer.keys.current;
    const documents = (until: number) => keyRing.documentsOf("peer.example", until, "notary");
    const [first] = await documents(clock.now);
    expect(JSON.parse(first ?? "")).toEqual(await peer.keyDocument());
    expect(await keyRing.documentsOf("other.example", 0, undefined)).toEqual([]);
    peer.keys.current = await newKey("ed25519:new");
    clock.now += 2 * MINUTE;
    expect(await documents(clock.now)).toEqual([first]);
    const both = await documents(clock.now + DAY);
    expect(both.map((text) => Object.keys(JSON.parse(text).verify_keys))).toEqual([
      ["ed25519:new"],
      [old.keyId],
    ]);
    network.setDown("peer.example", true);
    clock.now += 2 * MINUTE;
    expect(await documents(clock.now + DAY)).toEqual(both);
    expect(asked("peer.example")).toBe(2);
  });

  test("that the way out is missing says nothing of a server", async () => {
    const { network, keyRing, clock, publicKey } = await withPeer();
    network.setDown("me.example", true);
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toBeUndefined();
    network.setDown("me.example", false);
    expect(await keyRing.keyFor("peer.example", KEY, clock.now)).toEqual(Uint8Array.from(publicKey));
  });
});
