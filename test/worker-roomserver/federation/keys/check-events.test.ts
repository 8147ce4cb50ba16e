import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { roomVersions } from "../../../../src/matrix/room-versions.ts";
import { signEvent } from "../../../../src/matrix/signing.ts";
import { DAY, MINUTE, testKeyRing } from "../support/key-ring.ts";
import { TestNetwork } from "../support/network.ts";
import { newKey, Peer } from "../support/peer.ts";
import type { PeerEvent, PeerEventFields, PeerRoom } from "../support/peer-room.ts";

const received = ({ json }: PeerEvent, { rules }: PeerRoom) => readReceivedEvent(json, rules);
const wrong = { why: expect.stringContaining("wrong"), unknown: false };
const unsigned = { why: expect.stringContaining("not signed"), unknown: false };
const noKey = { why: expect.stringContaining("No key"), unknown: true };

async function withRoom(version = "10", how: "ordinary" | "named" = "ordinary") {
  const network = new TestNetwork();
  const peer = await Peer.open(network, how === "named" ? undefined : "peer.example");
  const room = await peer.createRoom({ version });
  const ring = await testKeyRing(network);
  const message = (over: Partial<PeerEventFields> = {}) =>
    room.make({ type: "m.room.message", content: { body: "x" }, ...over });
  const check = (events: readonly PeerEvent[], via?: string) =>
    ring.keyRing.checkEvents(
      events.map((event) => received(event, room)),
      room.rules,
      via,
    );
  /** Signed by another server too, or instead. */
  const signedBy = async (event: PeerEvent, by: Peer, instead = false): Promise<PeerEvent> => {
    const pdu: Pdu = instead ? { ...event.pdu, signatures: {} } : event.pdu;
    const signed = await signEvent(pdu, room.rules, by.serverName, by.keys.current);
    return { ...event, pdu: signed, json: JSON.stringify(signed) };
  };
  return { ...ring, network, peer, room, message, check, signedBy };
}

describe("signatures of events", () => {
  test.each(roomVersions)("version %s: good ones pass, each bad one is told apart", async (version) => {
    const { message, check, asked, room } = await withRoom(version);
    const events = [
      ...room.events.values(),
      await message(),
      await message({ bad: "hash" }),
      await message({ bad: "signature" }),
      await message({ bad: "unsigned" }),
      await message({ bad: "unknownKey" }),
      await message(),
    ];
    const good = Array(room.events.size + 2).fill(undefined);
    expect(await check(events)).toEqual([...good, wrong, unsigned, noKey, undefined]);
    expect(asked("peer.example")).toBe(1);
  });

  test.each(["10", "2"])("version %s: an event is signed by its sender's server", async (version) => {
    const { network, check, message, signedBy, peer } = await withRoom(version);
    const other = await Peer.open(network);
    const event = await message({ sender: other.user("alice") });
    expect(await check([event])).toEqual([unsigned]);
    expect(await check([await signedBy(event, other)])).toEqual([undefined]);
    // Up to version 2 the server of the id has to sign as well, and here that is the peer.
    const alone = await signedBy(event, other, true);
    expect(await check([alone])).toEqual([version === "2" ? unsigned : undefined]);
    expect(await check([await signedBy(event, peer, true)])).toEqual([unsigned]);
  });

  test.each([
    ["7", undefined],
    ["8", unsigned],
    ["11", unsigned],
  ])("version %s: who lets in signs a restricted join", async (version, complaint) => {
    const { network, check, room, signedBy } = await withRoom(version);
    const other = await Peer.open(network);
    const userId = `@alice:peer.example`;
    const make = (via: string | number) =>
      room.make({
        ...{ type: "m.room.member", sender: userId, state_key: userId },
        content: { membership: "join", join_authorised_via_users_server: via },
      });
    const event = await make(other.user("bob"));
    expect(await check([event, await signedBy(event, other)])).toEqual([complaint, undefined]);
    const [odd] = await check([await make(7)]);
    expect(odd).toEqual(complaint && { why: expect.stringContaining("user ID"), unknown: false });
  });

  test("an invite of a third party comes from whoever has made it, a plain invite does not", async () => {
    const { network, check, room, signedBy } = await withRoom();
    const other = await Peer.open(network);
    const invite = async (third: JsonObject) => {
      const event = await room.make({
        ...{ type: "m.room.member", state_key: other.user("alice") },
        content: { membership: "invite", ...third },
      });
      return signedBy(event, other, true);
    };
    const signed = { mxid: other.user("alice"), token: "t", signatures: {} };
    expect(await check([await invite({ third_party_invite: { signed } }), await invite({})])).toEqual([
      undefined,
      unsigned,
    ]);
  });

  test.each([
    ["4", undefined],
    ["5", noKey],
  ])("version %s: a key that had ended when the event was made", async (version, complaint) => {
    const { message, check, peer, clock } = await withRoom(version);
    const before = peer.keys.current;
    const late = await message({ pdu: { origin_server_ts: clock.now } });
    const inTime = await message({ pdu: { origin_server_ts: clock.now - DAY } });
    peer.keys.current = await newKey("ed25519:new");
    peer.keys.old.push({ key: before, expiredAt: clock.now - 1 });
    expect(await check([late, inTime])).toEqual([complaint, undefined]);
  });

  test.each(["ordinary", "named"] as const)(
    "the key of a policy server is passed over, of a server with an %s name",
    async (how) => {
      const { message, check, room, peer } = await withRoom("10", how);
      const event = await message();
      const policy = await newKey("ed25519:policy_server");
      const pdu = await signEvent(event.pdu, room.rules, peer.serverName, policy);
      expect(await check([{ ...event, pdu, json: JSON.stringify(pdu) }])).toEqual([undefined]);
    },
  );

  test("among hundreds of servers that are not there, the one that is is heard", async () => {
    const { check, message } = await withRoom();
    const bogus = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const event = await message();
        const pdu = {
          ...event.pdu,
          sender: `@a:gone${i}.example`,
          signatures: { [`gone${i}.example`]: { "ed25519:1": "x" } },
        };
        return { ...event, pdu, json: JSON.stringify(pdu) };
      }),
    );
    expect(await check([...bogus, await message()])).toEqual([...bogus.map(() => noKey), undefined]);
  });
});

describe("keys of servers that do not answer", () => {
  async function withNotary() {
    const given = await withRoom();
    const notary = await Peer.open(given.network, "notary.example");
    const document = await given.peer.keyDocument();
    given.network.setDown("peer.example", true);
    return { ...given, notary, document };
  }

  test("are asked of who has sent the event; they are good for events alone", async () => {
    const { check, message, notary, document, keyRing, clock } = await withNotary();
    notary.vouches.set("peer.example", document);
    const event = await message();
    expect(await check([event])).toEqual([noKey]);
    expect(await check([event], notary.serverName)).toEqual([undefined]);
    expect(await check([event])).toEqual([undefined]);
    expect(await keyRing.keyFor("peer.example", "ed25519:test", clock.now)).toBeUndefined();
  });

  test("are asked for only once in a while", async () => {
    const { check, message, notary, network } = await withNotary();
    for (let i = 0; i < 3; i++) await check([await message()], notary.serverName);
    expect(network.carried.filter(({ uri }) => uri === "/_matrix/key/v2/query")).toHaveLength(1);
  });

  test("a lie of a notary ends when the server speaks, and never changes what that has said", async () => {
    const { check, message, notary, peer, network, keyRing, clock } = await withNotary();
    const real = peer.keys.current;
    const forged = await newKey("ed25519:test");
    peer.keys.current = forged;
    notary.vouches.set("peer.example", await peer.keyDocument());
    peer.keys.current = real;
    expect(await check([await message()], notary.serverName)).toEqual([wrong]);

    network.setDown("peer.example", false);
    clock.now += MINUTE;
    expect(await keyRing.keyFor("peer.example", "ed25519:test", clock.now)).toEqual(
      Uint8Array.from(real.publicKey),
    );
    expect(await check([await message()])).toEqual([undefined]);
    network.setDown("peer.example", true);
    clock.now += 8 * DAY;
    const late = () => message({ pdu: { origin_server_ts: clock.now } });
    expect(await check([await late()], notary.serverName)).toEqual([noKey]);
  });

  test.each<[string, (peer: Peer, notary: Peer) => Promise<JsonObject>]>([
    ["of a server that was not asked for", (_, notary) => notary.keyDocument()],
    ["that its server has not signed", async (peer) => ({ ...(await peer.keyDocument()), signatures: {} })],
    ["that is none", async () => ({ server_name: "peer.example" })],
  ])("a document %s is no use", async (_, make) => {
    const { check, message, notary, peer } = await withNotary();
    notary.vouches.set("peer.example", await make(peer, notary));
    expect(await check([await message()], notary.serverName)).toEqual([noKey]);
  });

  test("a document that the notary has not signed is no use", async () => {
    const { check, message, notary, document } = await withNotary();
    notary.override("POST", "/_matrix/key/v2/query", () => ({ server_keys: [document] }));
    expect(await check([await message()], notary.serverName)).toEqual([noKey]);
  });
});

test("nothing is asked where there is nothing to check", async () => {
  const { keyRing, network, room } = await withRoom();
  const none: ReceivedEvent[] = [];
  expect(await keyRing.checkEvents(none, room.rules, "peer.example")).toEqual([]);
  expect(network.carried).toEqual([]);
});
