import { describe, expect, test, vi } from "vitest";
import { jsonAnswer } from "../../../../src/link/answers.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { signEvent } from "../../../../src/matrix/signing.ts";
import type { Requester } from "../../../../src/worker-roomserver/node/requester.ts";
import { registerAt } from "../../support/node.ts";
import type { PeerAnswer, PeerRequest } from "../support/peer-api.ts";
import { act, type Meeting, meeting, refusal } from "./joining.ts";

const INVITE = "/_matrix/federation/v2/invite/{roomId}/{eventId}";
const INVITE_V1 = "/_matrix/federation/v1/invite/{roomId}/{eventId}";

const newRoom = async ({ home }: Meeting, who: Requester, room_version = "12", more: JsonObject = {}) =>
  (
    await home.node.room.createRoom(crypto.randomUUID(), who, {
      room_version,
      preset: "private_chat",
      ...more,
    })
  ).room_id;

async function membership({ home, alice }: Meeting, roomId: string, userId: string): Promise<unknown> {
  const key = { roomId, type: "m.room.member", stateKey: userId, format: "content" } as const;
  return home.node.room.stateEvent(alice, key).then(
    (content) => content.membership,
    () => undefined,
  );
}

describe("a user of another server", () => {
  test.each(["1", "2", "3", "10", "11", "12"])("is invited to a room of version %s", async (version) => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const roomId = await newRoom(given, alice, version, { name: "Ours" });
    const bob = peer.user("bob");
    await act(home.node, alice, "invite", roomId, { target: bob, reason: "come" });
    expect(await membership(given, roomId, bob)).toBe("invite");
    const [invite] = peer.invites;
    expect(peer.invites).toHaveLength(1);
    expect(invite).toMatchObject({ roomId, version });
    expect(invite?.event.content).toEqual({ membership: "invite", reason: "come" });
    const state = invite?.body.invite_room_state as JsonObject[];
    // Whole events, from which the room's id can be told.
    const create = state.find(({ type }) => type === "m.room.create");
    expect(readReceivedEvent(JSON.stringify(create), roomVersionRules(version)!).pdu.sender).toBe(
      alice.userId,
    );
    expect(state.map(({ type }) => type)).toEqual(expect.arrayContaining(["m.room.name", "m.room.member"]));
    // The room has it as both have signed it.
    const { eventId } = readReceivedEvent(JSON.stringify(invite?.event), roomVersionRules(version)!);
    const [stored] = await home.node.roomQueries.eventsById([eventId]);
    expect(Object.keys(stored?.pdu.signatures ?? {}).sort()).toEqual(
      [home.serverName, peer.serverName].sort(),
    );
  });

  test("is invited with the room that is made, and by its state", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const bob = peer.user("bob");
    const roomId = await newRoom(given, alice, "12", { invite: [bob], is_direct: true });
    expect(await membership(given, roomId, bob)).toBe("invite");
    expect(peer.invites[0]?.event.content).toEqual({ membership: "invite", is_direct: true });
    const carol = peer.user("carol");
    const state = { roomId, type: "m.room.member", stateKey: carol, content: { membership: "invite" } };
    const { event_id: sent } = await home.node.room.setState("s", alice, state);
    expect(await membership(given, roomId, carol)).toBe("invite");
    expect(peer.invites).toHaveLength(2);
    expect(await home.node.room.setState("s", alice, state)).toEqual({ event_id: sent });
    expect(peer.invites).toHaveLength(2);
  });

  test("is not, where the room forbids it, and nobody is asked", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const mallory = await registerAt(home.node, "mallory");
    const roomId = await newRoom(given, alice);
    const inviting = act(home.node, mallory, "invite", roomId, { target: peer.user("bob") });
    expect(await refusal(inviting)).toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
    expect(peer.invites).toEqual([]);
  });

  test.each<
    [string, (request: PeerRequest, given: Meeting) => PeerAnswer | Promise<PeerAnswer>, string, number]
  >([
    ["refuses", () => jsonAnswer({ errcode: "M_FORBIDDEN", error: "No." }, 403), "M_FORBIDDEN", 403],
    ["blocks", () => jsonAnswer({ errcode: "M_INVITE_BLOCKED", error: "No." }, 403), "M_INVITE_BLOCKED", 403],
    ["finds fault", () => jsonAnswer({ errcode: "M_INVALID_PARAM", error: "What?" }, 400), "M_UNKNOWN", 502],
    ["knows no invites", () => jsonAnswer({ errcode: "M_UNRECOGNIZED", error: "?" }, 404), "M_UNKNOWN", 502],
    ["is broken", () => jsonAnswer({}, 500), "M_UNKNOWN", 502],
    ["says nothing", () => ({}), "M_UNKNOWN", 502],
    ["has not signed", ({ body }) => ({ event: body.event as JsonObject }), "M_UNKNOWN", 502],
    [
      "signs another event",
      async ({ body }, { peer }) => {
        const rules = roomVersionRules("12")!;
        const event = { ...(body.event as JsonObject), depth: 1000 };
        return { event: await signEvent(event as never, rules, peer.serverName, peer.keys.current) };
      },
      ...(["M_UNKNOWN", 502] as const),
    ],
    [
      "signs wrongly",
      ({ body }, { peer }) => {
        const event = body.event as JsonObject & { signatures: JsonObject };
        const signatures = { ...event.signatures, [peer.serverName]: { "ed25519:test": "A".repeat(86) } };
        return { event: { ...event, signatures } };
      },
      ...(["M_UNKNOWN", 502] as const),
    ],
  ])("is not invited where their server %s", async (_, answer, errcode, status) => {
    const given = await meeting();
    const { home, alice, peer } = given;
    peer.override("PUT", INVITE, (request) => answer(request, given));
    const roomId = await newRoom(given, alice);
    const bob = peer.user("bob");
    expect(await refusal(act(home.node, alice, "invite", roomId, { target: bob }))).toMatchObject({
      ...{ errcode, status, error: expect.stringContaining(peer.serverName) },
    });
    expect(await membership(given, roomId, bob)).toBe(undefined);
    const making = newRoom(given, alice, "12", { invite: [bob] });
    expect(await refusal(making)).toMatchObject({ errcode, status, error: expect.stringContaining(bob) });
    expect((await home.node.room.joinedRooms(alice)).joined_rooms).toHaveLength(2);
  });

  test("is not invited where their server cannot be reached", async () => {
    const given = await meeting();
    const { network, home, alice, peer } = given;
    network.setDown(peer.serverName, true);
    const roomId = await newRoom(given, alice);
    const inviting = act(home.node, alice, "invite", roomId, { target: peer.user("bob") });
    expect(await refusal(inviting)).toMatchObject({ status: 502, errcode: "M_UNKNOWN" });
  });

  test("is invited in the old way where the room is old and their server too", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    peer.override("PUT", INVITE, () => jsonAnswer({ errcode: "M_UNRECOGNIZED" }, 404));
    let state: unknown;
    peer.override("PUT", INVITE_V1, async ({ body }) => {
      const { unsigned, ...event } = body as JsonObject & { unsigned: JsonObject };
      state = unsigned.invite_room_state;
      const signed = await signEvent(
        event as never,
        roomVersionRules("2")!,
        peer.serverName,
        peer.keys.current,
      );
      return jsonAnswer([200, { event: signed }] as never);
    });
    const roomId = await newRoom(given, alice, "2");
    const bob = peer.user("bob");
    await act(home.node, alice, "invite", roomId, { target: bob });
    expect(await membership(given, roomId, bob)).toBe("invite");
    expect(state).toContainEqual({
      ...{ type: "m.room.create", sender: alice.userId, state_key: "" },
      ...{ content: expect.objectContaining({ room_version: "2" }), origin_server_ts: expect.any(Number) },
    });
  });

  test("is not invited where the room does not want it any more once they have signed", async () => {
    const given = await meeting();
    const { home, alice, peer } = given;
    const carol = await registerAt(home.node, "carol");
    const roomId = await newRoom(given, alice, "12", { invite: [carol.userId] });
    await act(home.node, carol, "join", roomId);
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const asked = vi.fn();
    peer.override("PUT", INVITE, async ({ body }) => {
      asked();
      await held;
      const rules = roomVersionRules("12")!;
      return { event: await signEvent(body.event as never, rules, peer.serverName, peer.keys.current) };
    });
    const bob = peer.user("bob");
    const inviting = refusal(act(home.node, carol, "invite", roomId, { target: bob }));
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    // The room goes on while another server takes its time.
    await act(home.node, alice, "kick", roomId, { target: carol.userId });
    answer();
    expect(await inviting).toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
    expect(await membership(given, roomId, bob)).toBe(undefined);
  });
});
