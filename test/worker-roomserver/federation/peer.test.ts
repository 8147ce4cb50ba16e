import { describe, expect, test } from "vitest";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import { readReceivedEvent } from "../../../src/matrix/received-event.ts";
import { roomVersions } from "../../../src/matrix/room-versions.ts";
import { readServerKeys } from "../../../src/matrix/server-keys.ts";
import { verifyEventSignature } from "../../../src/matrix/signing.ts";
import { federatedNode } from "./support/federated-node.ts";
import { endlessAnswer, hugeAnswer } from "./support/misbehaviour.ts";
import { TestNetwork } from "./support/network.ts";
import { Peer } from "./support/peer.ts";

const ed25519 = await chooseEd25519(crypto.subtle);

// What other tests build upon has to be right itself.
describe("the test peer", () => {
  test.each(roomVersions)("makes good rooms of version %s, which another peer joins", async (version) => {
    const network = new TestNetwork();
    const [host, guest] = [await Peer.open(network, "host.example"), await Peer.open(network)];
    const room = await host.createRoom({ version });
    const message = await room.send({ type: "m.room.message", content: { body: "hello" } });
    for (const { eventId, json } of room.events.values()) {
      const read = readReceivedEvent(json, room.rules);
      expect(read).toMatchObject({ eventId, json });
      const { keyId, publicKey } = host.keys.current;
      expect(
        await verifyEventSignature(read.pdu, room.rules, host.serverName, keyId, publicKey, ed25519),
      ).toBe(true);
    }
    const held = await guest.join(host.serverName, room.roomId);
    expect(held.roomId).toBe(room.roomId);
    expect(held.state("m.room.member", guest.user("peer"))?.pdu.content).toEqual({ membership: "join" });
    expect(new Set(held.stateBefore().map(({ eventId }) => eventId))).toEqual(
      new Set(room.stateBefore().map(({ eventId }) => eventId)),
    );
    const path = `/_matrix/federation/v1/backfill/${encodeURIComponent(room.roomId)}`;
    const { json } = await guest.ask(
      host.serverName,
      "GET",
      `${path}?v=${encodeURIComponent(message.eventId)}&limit=2`,
    );
    expect(json.pdus).toMatchObject([{ content: { body: "hello" } }, { type: "m.room.history_visibility" }]);
  });

  test("spoils events as it is told", async () => {
    const peer = await Peer.open(new TestNetwork());
    const room = await peer.createRoom();
    const make = async (bad: "hash" | "signature" | "unsigned" | "unknownKey") => {
      const { pdu, json } = await room.make({ type: "m.room.message", content: { body: "x" }, bad });
      const { keyId, publicKey } = peer.keys.current;
      return {
        content: readReceivedEvent(json, room.rules).pdu.content,
        keys: Object.keys(pdu.signatures[peer.serverName] ?? {}),
        isSigned: await verifyEventSignature(pdu, room.rules, peer.serverName, keyId, publicKey, ed25519),
      };
    };
    expect(await make("hash")).toEqual({ content: {}, keys: ["ed25519:test"], isSigned: true });
    const content = { body: "x" };
    expect(await make("signature")).toEqual({ content, keys: ["ed25519:test"], isSigned: false });
    expect(await make("unsigned")).toEqual({ content, keys: [], isSigned: false });
    expect(await make("unknownKey")).toEqual({ content, keys: ["ed25519:other"], isSigned: false });
  });

  test("publishes its keys, and answers otherwise where a test wants it", async () => {
    const network = new TestNetwork();
    const [peer, other] = [await Peer.open(network, "peer.example"), await Peer.open(network)];
    const { json } = await other.ask(peer.serverName, "GET", "/_matrix/key/v2/server");
    const { keys } = await readServerKeys(json, "peer.example", ed25519);
    expect(keys.get("ed25519:test")).toEqual(peer.keys.current.publicKey);
    peer.override("GET", "/_matrix/federation/v1/version", () => hugeAnswer(1000));
    expect((await other.ask("peer.example", "GET", "/_matrix/federation/v1/version")).text).toHaveLength(
      1000,
    );
    peer.override("GET", "/_matrix/key/v2/server", endlessAnswer);
    await expect(other.ask("peer.example", "GET", "/_matrix/key/v2/server")).rejects.toThrow("more than");
  });

  test("is let in by a node", async () => {
    const network = new TestNetwork();
    const { serverName } = await federatedNode(network);
    const peer = await Peer.open(network);
    expect(await peer.sendTransaction(serverName, { edus: [] })).toMatchObject({ status: 200 });
  });
});
