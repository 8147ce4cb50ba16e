import { describe, expect, test, vi } from "vitest";
import { prevEventIds } from "../../../../src/matrix/event-format.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { roomVersions } from "../../../../src/matrix/room-versions.ts";
import { signEvent } from "../../../../src/matrix/signing.ts";
import { registerAt } from "../../support/node.ts";
import { json } from "../../support/room.ts";
import { Peer } from "../support/peer.ts";
import { act, asked, joinedMembers, joinedRooms, meeting, refusal } from "./joining.ts";

const SEND_JOIN = "/_matrix/federation/v2/send_join/{roomId}/{eventId}";
const MAKE_JOIN = "/_matrix/federation/v1/make_join/{roomId}/{userId}";

describe("a room that lives elsewhere", () => {
  test.each(roomVersions)(
    "of version %s is joined through a server that the client names",
    async (version) => {
      const { home, alice, peer } = await meeting();
      const room = await peer.createRoom({ version });
      await room.send({ type: "m.room.name", state_key: "", content: { name: "Elsewhere" } });
      const answer = await act(home.node, alice, "join", room.roomId, {
        servers: [peer.serverName],
        reason: "curious",
      });
      expect(answer).toEqual({ room_id: room.roomId });
      expect(await joinedMembers(home.node, alice, room.roomId)).toEqual([alice.userId, room.creator].sort());
      const key = { roomId: room.roomId, type: "m.room.name", stateKey: "", format: "content" } as const;
      expect(await home.node.room.stateEvent(alice, key)).toEqual({ name: "Elsewhere" });
      const join = room.state("m.room.member", alice.userId);
      expect(join?.pdu.content).toEqual({ membership: "join", displayname: "alice", reason: "curious" });
      // What comes next is built upon the join.
      const message = { roomId: room.roomId, type: "m.room.message", txnId: "1", content: { body: "hello" } };
      const { event_id: sent } = await home.node.room.sendEvent(alice, message);
      const [stored] = await home.node.roomQueries.eventsById([sent]);
      expect(prevEventIds(stored!.pdu)).toEqual([join!.eventId]);
    },
  );

  test("of an id that names its server needs no other hint", async () => {
    const { home, alice, peer } = await meeting();
    const room = await peer.createRoom({ version: "10" });
    await act(home.node, alice, "join", room.roomId);
    expect(await joinedRooms(home.node, alice)).toEqual([room.roomId]);
  });

  test("is not found where nobody is named to ask", async () => {
    const { home, alice } = await meeting();
    for (const roomId of [`!${"a".repeat(43)}`, `!a:${home.serverName}`]) {
      const own = { servers: [home.serverName, "not a name"] };
      expect(await refusal(act(home.node, alice, "join", roomId, own))).toMatchObject({
        ...{ errcode: "M_NOT_FOUND", status: 404 },
      });
    }
  });

  test("is joined once, by however many and however often at a time", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const bob = await registerAt(home.node, "bob");
    const room = await peer.createRoom();
    await Promise.all([
      ...[1, 2].map(() => act(home.node, alice, "join", room.roomId)),
      ...[1, 2].map(() => act(home.node, alice, "join", room.roomId, { request: "same" })),
      act(home.node, bob, "join", room.roomId),
    ]);
    expect(asked(given, "send_join")).toHaveLength(1);
    const members = await joinedMembers(home.node, alice, room.roomId);
    expect(members).toEqual([alice.userId, bob.userId, room.creator].sort());
  });

  test("is joined through the next server where one does not help", async () => {
    const given = await meeting();
    const { network, home, alice, peer } = given;
    const [down, without, lying] = [
      await Peer.open(network),
      await Peer.open(network),
      await Peer.open(network),
    ];
    network.setDown(down.serverName, true);
    lying.override("GET", MAKE_JOIN, () => ({ room_version: "10", event: {} }));
    const room = await peer.createRoom();
    const servers = [down, without, lying, peer].map(({ serverName }) => serverName);
    await act(home.node, alice, "join", room.roomId, { servers });
    expect(asked(given, "make_join")).toEqual(servers.slice(1));
    expect(await joinedRooms(home.node, alice)).toEqual([room.roomId]);
  });

  test("asks no more than ten servers, each once", async () => {
    const given = await meeting();
    const { network, home, alice } = given;
    const others = await Promise.all(Array.from({ length: 12 }, () => Peer.open(network)));
    const servers = others.flatMap(({ serverName }) => [serverName, serverName]);
    const refused = await refusal(act(home.node, alice, "join", `!${"a".repeat(43)}`, { servers }));
    expect(refused.status).toBe(404);
    expect(asked(given, "make_join")).toEqual(others.slice(0, 10).map(({ serverName }) => serverName));
  });

  test("is joined again by who has left it, and by who was alone there", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const room = await peer.createRoom();
    await act(home.node, alice, "join", room.roomId);
    await act(home.node, alice, "leave", room.roomId);
    expect(await joinedRooms(home.node, alice)).toEqual([]);
    // What is said before the leave is known there is a fork, which this peer knows nothing of.
    const isThere = () => room.state("m.room.member", alice.userId)?.pdu.content.membership;
    await vi.waitFor(() => expect(isThere()).toBe("leave"), 10_000);
    await room.send({ type: "m.room.topic", state_key: "", content: { topic: "meanwhile" } });
    await act(home.node, alice, "join", room.roomId);
    expect(asked(given, "send_join")).toHaveLength(2);
    const key = { roomId: room.roomId, type: "m.room.topic", stateKey: "", format: "content" } as const;
    expect(await home.node.room.stateEvent(alice, key)).toEqual({ topic: "meanwhile" });

    const { room_id: own } = await home.node.room.createRoom("own", alice, { preset: "public_chat" });
    await act(home.node, alice, "leave", own);
    await act(home.node, alice, "join", own);
    expect(await joinedRooms(home.node, alice)).toContain(own);
  });

  test("is joined anew where the answer to the join was lost, and half of it is nowhere", async () => {
    const given = await meeting();
    const { network, home, alice, peer } = given;
    const room = await peer.createRoom();
    let isCut = false;
    const original = peer.answer.bind(peer);
    peer.answer = async (request, signal) => {
      const answer = await original(request, signal);
      if (!request.target.includes("/send_join/") || isCut) return answer;
      isCut = true;
      network.setDown(peer.serverName, true);
      throw new Error("the connection is cut");
    };
    expect(await refusal(act(home.node, alice, "join", room.roomId))).toMatchObject({ status: 502 });
    expect(room.state("m.room.member", alice.userId)?.pdu.content.membership).toBe("join");
    expect(await joinedRooms(home.node, alice)).toEqual([]);
    expect(await home.node.storage.getAll("rooms")).toEqual([]);
    expect(await home.node.storage.getAll("events")).toEqual([]);
    network.setDown(peer.serverName, false);
    await act(home.node, alice, "join", room.roomId);
    expect(await joinedMembers(home.node, alice, room.roomId)).toHaveLength(2);
  });

  test("is there for the next leader, who answers the same request without asking again", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const room = await peer.createRoom();
    await act(home.node, alice, "join", room.roomId, { request: "once" });
    const { node } = await home.reopen();
    expect(await joinedRooms(node, alice)).toEqual([room.roomId]);
    await act(node, alice, "join", room.roomId, { request: "once" });
    expect(asked(given, "send_join")).toHaveLength(1);
  });
});

describe("a restricted room", () => {
  const restricted = { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: "!a:b" }] };

  /** Has the peer vouch for who joins, in the template, and sign. */
  async function vouchingRoom({ peer }: { peer: Peer }, signs: boolean) {
    const room = await peer.createRoom({ joinRule: restricted });
    peer.override("GET", MAKE_JOIN, ({ params }) => ({
      room_version: room.version,
      event: room.draft({
        ...{ type: "m.room.member", sender: params.userId ?? "", state_key: params.userId ?? "" },
        content: { membership: "join", join_authorised_via_users_server: room.creator },
      }),
    }));
    peer.override("PUT", SEND_JOIN, async ({ text }) => {
      const state = room.stateBefore();
      const { pdu } = room.add(readReceivedEvent(text, room.rules));
      const event = signs ? await signEvent(pdu, room.rules, peer.serverName, peer.keys.current) : pdu;
      const pdus = (events: readonly { pdu: JsonObject }[]) => events.map((one) => one.pdu);
      return { event, state: pdus(state), auth_chain: pdus(room.authChain(state)) };
    });
    return room;
  }

  test("lets in whom a server there vouches for with its signature", async () => {
    const given = await meeting();
    const room = await vouchingRoom(given, true);
    await act(given.home.node, given.alice, "join", room.roomId);
    expect(await joinedRooms(given.home.node, given.alice)).toEqual([room.roomId]);
    const state = json(await given.home.node.room.state(given.alice, room.roomId)) as unknown as JsonObject[];
    expect(state.find(({ state_key }) => state_key === given.alice.userId)).toMatchObject({
      content: { join_authorised_via_users_server: room.creator },
    });
  });

  test("does not where the signature is missing", async () => {
    const given = await meeting();
    const room = await vouchingRoom(given, false);
    expect(await refusal(act(given.home.node, given.alice, "join", room.roomId))).toMatchObject({
      ...{ status: 502, error: expect.stringContaining("not signed") },
    });
    expect(await joinedRooms(given.home.node, given.alice)).toEqual([]);
  });
});
