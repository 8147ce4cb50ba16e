import { describe, expect, test } from "vitest";
import { authEventIds } from "../../../../src/matrix/event-format.ts";
import { eventIdOf } from "../../../../src/matrix/hashes.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import { roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { PASS_ON } from "../../../../src/worker-roomserver/log/entry.ts";
import type { OpenNode } from "../../../../src/worker-roomserver/node/node.ts";
import { registerAt } from "../../support/node.ts";
import { namedServer } from "../support/named-server.ts";
import { GuestServer, hosting, isSignedBy } from "./guest-server.ts";

/** Who has a membership by the room's present state. */
async function membersOf(node: OpenNode, roomId: string, membership = "join"): Promise<string[]> {
  const extremity = (await node.roomQueries.latest(roomId, [])).extremities[0]!;
  const state = await node.roomQueries.stateAt(roomId, extremity.eventId, {
    ...{ when: "after", keys: [["m.room.member"]] },
  });
  const members = state.filter(({ pdu }) => pdu.content.membership === membership);
  return members.map(({ pdu }) => pdu.state_key ?? "").sort();
}

type JoinAnswer = {
  event: Pdu;
  state: Pdu[];
  auth_chain: Pdu[];
  members_omitted: boolean;
  servers_in_room?: string[];
};

function read(text: string, version: string) {
  const answer = JSON.parse(text) as JoinAnswer;
  const rules = roomVersionRules(version)!;
  const idOf = (pdu: Pdu) => eventIdOf(pdu, rules) as string;
  const chain = new Set(answer.auth_chain.map(idOf));
  const given = new Set([...chain, ...answer.state.map(idOf)]);
  const lacking = [...answer.state, ...answer.auth_chain, answer.event]
    .flatMap(authEventIds)
    .filter((id) => !(answer.members_omitted ? given : chain).has(id));
  return { ...answer, lacking, types: answer.state.map(({ type }) => type) };
}

describe("a user of another server joins a room that lives here", () => {
  test.each(["1", "3", "6", "10", "11", "12"])("of version %s", async (version) => {
    const { node, alice, guests, create } = await hosting();
    const roomId = await create({ room_version: version, name: "Garden" });
    const bob = guests.user("bob");
    const before = node.node.storage.position;
    const made = await guests.made("join", roomId, bob);
    const { status, text } = await guests.send("join", roomId, made);
    expect(status).toBe(200);
    const answer = read(text, version);
    expect(answer.lacking).toEqual([]);
    expect(answer.members_omitted).toBe(false);
    expect(answer.types).toEqual(expect.arrayContaining(["m.room.create", "m.room.name", "m.room.member"]));
    expect(answer.state.some(({ state_key: key }) => key === bob)).toBe(false);
    expect(answer.event).toEqual(made.pdu);
    expect(await membersOf(node.node, roomId)).toEqual([alice.userId, bob].sort());

    const entries = (await node.node.storage.entriesAfter(before, 100))!;
    expect(entries.filter(({ topic }) => topic === "room").map(({ detail }) => detail)).toEqual([PASS_ON]);

    const again = await guests.send("join", roomId, made);
    expect(again.text).toBe(text);
    expect(node.node.storage.position).toBe(entries.at(-1)!.position);
  });

  test("and gets no members, but for those the room is called after", async () => {
    const { node, guests, create } = await hosting();
    const roomId = await create();
    for (const name of ["m1", "m2", "m3", "m4", "m5", "m6", "m7"]) {
      const member = await registerAt(node.node, name);
      await node.node.room.changeMembership(crypto.randomUUID(), member, {
        ...{ roomId, action: "join", target: member.userId },
      });
    }
    const made = await guests.made("join", roomId, guests.user("bob"));
    const { text } = await guests.send("join", roomId, made, { query: "?omit_members=true" });
    const answer = read(text, "12");
    expect(answer.members_omitted).toBe(true);
    expect(answer.lacking).toEqual([]);
    expect(answer.types.filter((type) => type === "m.room.member")).toHaveLength(5);
    expect(answer.servers_in_room).toEqual([node.serverName]);
    const ids = [...answer.state, ...answer.auth_chain].map((pdu) => eventIdOf(pdu, roomVersionRules("12")!));
    expect(new Set(ids).size).toBe(ids.length);

    await node.node.room.setState(crypto.randomUUID(), (await owner(node.node, roomId))!, {
      ...{ roomId, type: "m.room.name", stateKey: "", content: { name: "Garden" } },
    });
    const next = await guests.made("join", roomId, guests.user("carol"));
    const named = read((await guests.send("join", roomId, next, { query: "?omit_members=true" })).text, "12");
    expect(named.types).not.toContain("m.room.member");
    expect(named.lacking).toEqual([]);
    expect(named.servers_in_room).toEqual([guests.serverName, node.serverName].sort());
  });

  test("by the first version of the endpoint, which answers in a pair", async () => {
    const { guests, create } = await hosting();
    const roomId = await create({ room_version: "6" });
    const made = await guests.made("join", roomId, guests.user("bob"));
    const { text } = await guests.send("join", roomId, made, { version: "v1" });
    const [status, body] = JSON.parse(text) as [number, JsonObject];
    expect(status).toBe(200);
    expect(read(JSON.stringify(body), "6").lacking).toEqual([]);
  });

  test("with the name of a member here who lets them in, and this server's signature", async () => {
    const { node, alice, guests, create } = await hosting();
    const club = await create();
    const roomId = await create({
      initial_state: [
        {
          type: "m.room.join_rules",
          content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: club }] },
        },
      ],
    });
    const bob = guests.user("bob");
    expect(await guests.make("join", roomId, bob)).toMatchObject({
      status: 403,
      json: { errcode: "M_FORBIDDEN" },
    });
    await guests.enter("join", club, bob);
    const made = await guests.made("join", roomId, bob);
    expect(made.pdu.content.join_authorised_via_users_server).toBe(alice.userId);
    const { text } = await guests.send("join", roomId, made);
    const { event } = read(text, "12");
    expect(await isSignedBy(node.serverName, event, "12")).toBe(true);
    expect((await guests.send("join", roomId, made)).text).toBe(text);

    // Who was in none of the rooms gets no signature by sending what was never made for them.
    const stranger = guests.user("mallory");
    const forged = await guests.sign({ ...without(made.pdu), sender: stranger, state_key: stranger }, "12");
    expect(await guests.send("join", roomId, forged)).toMatchObject({ status: 403 });
  });
});

describe("a template", () => {
  test("is of a version that the other server knows", async () => {
    const { guests, create } = await hosting();
    const roomId = await create({ room_version: "11" });
    const answer = await guests.make("join", roomId, guests.user("bob"), ["1", "10"]);
    expect(answer).toMatchObject({
      status: 400,
      json: { errcode: "M_INCOMPATIBLE_ROOM_VERSION", room_version: "11" },
    });
    const unsaid = await guests.ask(
      "GET",
      `/_matrix/federation/v1/make_join/${roomId}/${guests.user("bob")}`,
    );
    expect(unsaid).toMatchObject({ status: 400, json: { errcode: "M_INCOMPATIBLE_ROOM_VERSION" } });
  });

  test("is for users of the server that asks", async () => {
    const { guests, create, alice } = await hosting();
    const roomId = await create();
    for (const userId of [alice.userId, "@bob:other.example"]) {
      expect(await guests.make("join", roomId, userId)).toMatchObject({
        ...{ status: 403, json: { errcode: "M_FORBIDDEN" } },
      });
    }
    expect(await guests.make("join", roomId, "bob")).toMatchObject({ status: 400 });
  });

  test("is of a room that somebody from here is in", async () => {
    const { node, guests, create, alice } = await hosting();
    const roomId = await create();
    await guests.enter("join", roomId, guests.user("bob"));
    await node.node.room.changeMembership(crypto.randomUUID(), alice, {
      ...{ roomId, action: "leave", target: alice.userId },
    });
    for (const room of [roomId, "!nothing:example.org"]) {
      expect(await guests.make("join", room, guests.user("carol"))).toMatchObject({
        ...{ status: 404, json: { errcode: "M_NOT_FOUND" } },
      });
    }
  });

  test("is not for whom the room does not let in, nor for servers that it shuts out", async () => {
    const { node, guests, create, alice } = await hosting();
    const closed = await create({ preset: "private_chat" });
    expect(await guests.make("join", closed, guests.user("bob"))).toMatchObject({ status: 403 });
    expect(await guests.make("leave", closed, guests.user("bob"))).toMatchObject({ status: 403 });
    expect(await guests.make("knock", closed, guests.user("bob"))).toMatchObject({ status: 403 });

    const open = await create();
    await node.node.room.changeMembership(crypto.randomUUID(), alice, {
      ...{ roomId: open, action: "ban", target: guests.user("banned") },
    });
    expect(await guests.make("join", open, guests.user("banned"))).toMatchObject({ status: 403 });
    await node.node.room.setState(crypto.randomUUID(), alice, {
      ...{ roomId: open, type: "m.room.server_acl", stateKey: "" },
      content: { allow: ["*"], deny: [guests.serverName] },
    });
    expect(await guests.make("join", open, guests.user("bob"))).toMatchObject({ status: 403 });
  });
});

describe("what a server sends", () => {
  test.each<
    [string, (given: Awaited<ReturnType<typeof sending>>) => Promise<{ status: number; json: JsonObject }>]
  >([
    [
      "under another id",
      ({ guests, roomId, made }) => guests.send("join", roomId, { ...made, eventId: `$${"a".repeat(43)}` }),
    ],
    [
      "for another room",
      async ({ guests, create, made }) => guests.send("join", await create({ room_version: "10" }), made),
    ],
    ["that is another membership", ({ guests, roomId, made }) => guests.send("leave", roomId, made)],
    [
      "that is another type",
      async ({ guests, roomId, made }) =>
        guests.send("join", roomId, await guests.sign({ ...without(made.pdu), type: "m.room.name" }, "10")),
    ],
    [
      "of another server's user",
      async ({ guests, roomId, made }) => {
        const other = new GuestServer(guests.node, await namedServer());
        return other.send("join", roomId, made);
      },
    ],
    [
      "for another user",
      async ({ guests, roomId, made }) =>
        guests.send(
          "join",
          roomId,
          await guests.sign({ ...without(made.pdu), state_key: guests.user("carol") }, "10"),
        ),
    ],
    [
      "with a wrong signature",
      async ({ guests, roomId, made }) => {
        const other = await namedServer();
        const forger = new GuestServer(guests.node, { ...other, serverName: guests.serverName });
        return guests.send("join", roomId, await forger.sign(without(made.pdu), "10"));
      },
    ],
    [
      "built upon what is not known here",
      async ({ guests, roomId, made }) =>
        guests.send(
          "join",
          roomId,
          await guests.sign({ ...without(made.pdu), prev_events: [`$${"b".repeat(43)}`] }, "10"),
        ),
    ],
  ])("%s is not taken", async (_, send) => {
    const given = await sending();
    const before = given.node.node.storage.position;
    const { status, json } = await send(given);
    expect({ status, errcode: json.errcode }).toEqual({ status: 400, errcode: "M_INVALID_PARAM" });
    expect(await membersOf(given.node.node, given.roomId)).toEqual([given.alice.userId]);
    expect((await given.node.node.roomQueries.eventsById([given.made.eventId]))[0]).toBeUndefined();
    expect(given.node.node.storage.position - before).toBeLessThan(20); // a room that a case makes
  });

  test("that the room does not let pass any more is refused, each time", async () => {
    const { node, alice, guests, roomId, made } = await sending();
    await node.node.room.setState(crypto.randomUUID(), alice, {
      ...{ roomId, type: "m.room.join_rules", stateKey: "", content: { join_rule: "invite" } },
    });
    for (let attempt = 0; attempt < 2; attempt++) {
      const answer = await guests.send("join", roomId, made);
      expect(answer).toMatchObject({ status: 403, json: { errcode: "M_FORBIDDEN" } });
    }
    expect(await membersOf(node.node, roomId)).toEqual([alice.userId]);
  });
});

describe("knocking and leaving", () => {
  test("a knock is seen here, and answered with what the room is", async () => {
    const { node, guests, create } = await hosting();
    const roomId = await create({
      name: "Garden",
      initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
    });
    const bob = guests.user("bob");
    const made = await guests.made("knock", roomId, bob);
    const { status, json } = await guests.send("knock", roomId, made);
    expect(status).toBe(200);
    const told = json.knock_room_state as Pdu[];
    expect(told.map(({ type }) => type).sort()).toEqual(
      ["m.room.create", "m.room.join_rules", "m.room.name"].sort(),
    );
    expect(told.every(({ signatures }) => signatures[node.serverName] !== undefined)).toBe(true);
    expect(await membersOf(node.node, roomId, "knock")).toEqual([bob]);
    await guests.enter("leave", roomId, bob);
    expect(await membersOf(node.node, roomId, "knock")).toEqual([]);
  });

  test.each([
    ["v1", [200, {}]],
    ["v2", {}],
  ] as const)("who has joined leaves, by %s", async (version, expected) => {
    const { node, alice, guests, create } = await hosting();
    const roomId = await create();
    const bob = guests.user("bob");
    await guests.enter("join", roomId, bob);
    const made = await guests.made("leave", roomId, bob);
    for (let attempt = 0; attempt < 2; attempt++) {
      const { status, json } = await guests.send("leave", roomId, made, { version });
      expect({ status, json }).toEqual({ status: 200, json: expected });
    }
    expect(await membersOf(node.node, roomId)).toEqual([alice.userId]);
  });
});

async function sending() {
  const given = await hosting();
  const roomId = await given.create({ room_version: "10" });
  const made = await given.guests.made("join", roomId, given.guests.user("bob"));
  return { ...given, roomId, made };
}

function without({ hashes: _, signatures: __, ...draft }: Pdu): JsonObject {
  return draft;
}

async function owner(node: OpenNode, roomId: string) {
  const [create] = (await node.roomQueries.latest(roomId, [["m.room.create", ""]])).state;
  return { userId: create!.pdu.sender as never, kind: "user" as const, admin: false };
}
