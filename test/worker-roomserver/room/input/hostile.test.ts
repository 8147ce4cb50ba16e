import { describe, expect, inject, test } from "vitest";
import type { EventId } from "../../../../src/matrix/identifiers.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import type { ReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { Awaited, MOST_IN_ROOM } from "../../../../src/worker-roomserver/room/input/awaited.ts";
import { makeEvent } from "../../../reference/make-event.ts";
import { dump, testStorage } from "../../support/storage.ts";
import { received } from "./hosted-room.ts";
import { opening, ToldRoom } from "./told-room.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

function altered(room: ToldRoom, name: string, fields: Partial<Pdu>): ReceivedEvent {
  const { eventId, pdu } = room.received(name);
  const changed = { ...pdu, ...fields };
  return { eventId, pdu: changed, json: JSON.stringify(changed) };
}

const reference = (id: string): [string, { sha256: string }] => [id, { sha256: "" }];

/** What the storage is asked for while something goes on. */
function readsOf(room: ToldRoom): () => number {
  const { storage } = room.server;
  let reads = 0;
  for (const name of ["get", "getAll", "getAllKeys", "fromIndex", "keysFromIndex", "storedKeys"] as const) {
    const real = storage[name].bind(storage) as (...args: unknown[]) => unknown;
    Object.assign(storage, {
      [name]: (...args: unknown[]) => {
        reads += 1;
        return real(...args);
      },
    });
  }
  return () => reads;
}

describe("where servers make the ids up", () => {
  test("events that are built upon each other are missing each other", async () => {
    const room = await ToldRoom.open("1");
    room.story.message("one", alice);
    room.story.message("two", alice);
    const circle = [
      altered(room, "one", { prev_events: [reference(room.id("two"))] }),
      altered(room, "two", { prev_events: [reference(room.id("one"))] }),
    ];
    const before = await dump(room.server.storage);
    const verdicts = await room.server.rooms.input.receive(room.roomId, circle);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(["missing", "missing"]);
    expect(await dump(room.server.storage)).toEqual(before);

    // Told the state before, the one that lies further back is history.
    const state = opening.map((name) => room.id(name));
    const told = { statesBefore: { [room.id("two")]: state } };
    const again = await room.server.rooms.input.receive(room.roomId, circle.toReversed(), told);
    expect(again.map(({ outcome }) => outcome).sort()).toEqual(["accepted", "missing"]);
    expect(
      (await room.server.rooms.input.receive(room.roomId, circle)).map(({ outcome }) => outcome),
    ).toEqual(["accepted", "duplicate"]);
    expect(await room.told()).toEqual(["one", "two"]);
    expect((await dump(room.server.storage)).gaps).toEqual([]);
  });

  test("events that authorise each other are missing each other, and rejected if that is told to be all", async () => {
    const room = await ToldRoom.open("1");
    room.story.state("one", alice, "m.room.topic", { topic: "1" });
    room.story.state("two", alice, "m.room.topic", { topic: "2" }, { after: ["carol"] });
    const citing = (name: string, other: string) =>
      altered(room, name, {
        auth_events: [
          ...room.received(name).pdu.auth_events,
          reference(room.id(other)),
        ] as Pdu["auth_events"],
      });
    const circle = [citing("one", "two"), citing("two", "one")];
    const { input } = room.server.rooms;
    const outcomes = async (options = {}) =>
      (await input.receive(room.roomId, circle, options)).map(({ outcome }) => outcome);
    expect(await outcomes()).toEqual(["missing", "missing"]);
    const unobtainable = ["one", "two"].map((name) => room.id(name));
    expect(await outcomes({ unobtainable })).toEqual(["rejected", "rejected"]);
    expect(await outcomes({ unobtainable })).toEqual(["rejected", "rejected"]);
    expect(await room.told()).toEqual([]);
  });

  test("an event that refers to itself is refused", async () => {
    const room = await ToldRoom.open("1");
    room.story.message("self", alice);
    const { auth_events: auth, prev_events: prev } = room.received("self").pdu;
    const self = reference(room.id("self"));
    const before = await dump(room.server.storage);
    const state = opening.map((name) => room.id(name));
    for (const fields of [{ prev_events: [...prev, self] }, { auth_events: [...auth, self] }]) {
      const [verdict] = await room.server.rooms.input.receive(
        room.roomId,
        [altered(room, "self", fields as Partial<Pdu>)],
        { statesBefore: { [room.id("self")]: state }, unobtainable: [room.id("self")] },
      );
      expect(verdict).toMatchObject({ outcome: "rejected", reason: "It refers to itself." });
    }
    expect(await dump(room.server.storage)).toEqual(before);
  });

  test("a redaction that fills the gap before what it redacts", async () => {
    const room = await ToldRoom.open("1");
    const { story } = room;
    story.message("above", bob);
    const intent = { type: "m.room.redaction", content: {}, redacts: room.id("above") };
    story.tell("redaction", alice, intent, { after: ["carol"] });
    const above = altered(room, "above", { prev_events: [reference(room.id("redaction"))] });
    const { input } = room.server.rooms;
    const statesBefore = { [room.id("above")]: opening.map((name) => room.id(name)) };
    await input.receive(room.roomId, [above], { statesBefore });
    await room.receive(["redaction"]);
    for (const view of [room, await room.reopened()]) {
      expect(await view.stored("above")).toMatchObject({
        afterGap: false,
        redactedBy: room.id("redaction"),
      });
      expect((await view.stored("above"))!.pdu.content).toEqual({});
    }
  });

  test("the id of an event of another room", async () => {
    const room = await ToldRoom.open("1");
    const { rooms } = room.server;
    const { room_id: roomId } = await rooms.createRoom(room.server.request(), room.server.user("x"), {
      room_version: "1",
    });
    room.story.message("one", alice);
    await room.receive(["one"]);
    const before = await dump(room.server.storage);
    const [verdict] = await rooms.input.receive(roomId, [altered(room, "one", { room_id: roomId })]);
    expect(verdict).toMatchObject({
      outcome: "rejected",
      reason: "Its id is that of an event of another room.",
    });
    expect(await dump(room.server.storage)).toEqual(before);
  });
});

describe.each(["1", "6", "11", "12"])("across rooms of version %s", (version) => {
  /** Two rooms on one server: in the other one, mallory may do everything. */
  async function two(): Promise<{ room: ToldRoom; otherId: string; tip: { eventId: string; pdu: Pdu } }> {
    const room = await ToldRoom.open(version);
    const { rooms } = room.server;
    const mallory = room.server.user("mallory");
    const { room_id: otherId } = await rooms.createRoom(room.server.request(), mallory, {
      room_version: version,
    });
    const head = await room.server.parts.heads.get(otherId);
    return { room, otherId, tip: head.extremities[0]! };
  }

  test("no event is built upon one of another room, nor does its state get in", async () => {
    const { room, tip } = await two();
    const id = tip.eventId;
    const previous = version === "1" ? [reference(id)] : [id];
    room.story.message("one", alice);
    for (const prev_events of [previous, [...room.received("one").pdu.prev_events, ...previous]]) {
      const before = await dump(room.server.storage);
      const event = altered(room, "one", { prev_events: prev_events as Pdu["prev_events"] });
      const [verdict] = await room.server.rooms.input.receive(room.roomId, [event], {
        statesBefore: { [room.id("one")]: opening.map((name) => room.id(name)) },
      });
      expect(verdict).toMatchObject({ outcome: "rejected", reason: expect.stringContaining(id) });
      expect(await dump(room.server.storage)).toEqual(before);
    }
    expect(await room.outcomes(["one"])).toEqual(["accepted"]);
    expect(await room.extremities()).toEqual(["one"]);
  });

  test("nothing is authorised by an event of another room", async () => {
    const { room, otherId } = await two();
    const head = await room.server.parts.heads.get(otherId);
    const levels = (await head.state("m.room.power_levels", ""))!;
    room.story.message("one", alice);
    const cited = version === "1" ? reference(levels.eventId) : levels.eventId;
    const auth = room.received("one").pdu.auth_events;
    const others = auth.filter((entry) => ![entry].flat().includes(room.id("levels")));
    const event = altered(room, "one", { auth_events: [...others, cited] as Pdu["auth_events"] });
    const [verdict] = await room.server.rooms.input.receive(room.roomId, [event]);
    expect(verdict).toMatchObject({ outcome: "rejected", reason: expect.stringContaining("another room") });
  });

  test("an event of another room is none of this one", async () => {
    const { room, otherId } = await two();
    const before = await dump(room.server.storage);
    room.story.message("one", alice);
    const [verdict] = await room.server.rooms.input.receive(otherId, [room.received("one")]);
    expect(verdict).toMatchObject({ outcome: "rejected", reason: "It is an event of another room." });
    expect(await dump(room.server.storage)).toEqual(before);
  });

  test("a room has one create event", async () => {
    const room = await ToldRoom.open(version);
    const { rules } = room.story;
    const content = { room_version: version, creator: alice, again: true };
    const roomId = rules.roomIdIsCreateHash ? undefined : room.roomId;
    const second = makeEvent(
      rules,
      alice,
      { type: "m.room.create", state_key: "", content },
      { roomId, prev: [], auth: [], time: 1, number: 500 },
    );
    for (const as of ["live", "history", "outlier"] as const) {
      const [verdict] = await room.server.rooms.input.receive(room.roomId, [received(second)], { as });
      expect(verdict?.outcome).toBe("rejected");
    }
    expect(await room.entry("m.room.create")).toBe("create");
  });
});

test.each([
  ["1", 2 ** 63],
  ["6", Number.MAX_SAFE_INTEGER],
  ["12", Number.MAX_SAFE_INTEGER],
])("depths that lie, up to the greatest of version %s, do not matter", async (version, greatest) => {
  const room = await ToldRoom.open(version, "c.example");
  const { story } = room;
  story.message("deep", alice, { depth: greatest });
  story.message("none", bob, { depth: 0 });
  story.message("jump", alice, { depth: 1e12, after: ["none"] });
  expect(await room.outcomes(["deep", "none", "jump"])).toEqual(["accepted", "accepted", "accepted"]);
  expect(await room.told()).toEqual(["deep", "none", "jump"]);
  story.message("beside", bob, { depth: greatest, after: ["none"] });
  await room.receive(["beside"]);
  const { event_id: sent } = await room.server.rooms.sendEvent(room.server.user("carol"), {
    roomId: room.roomId,
    type: "m.room.message",
    txnId: "1",
    content: {},
  });
  const { depth } = (await room.server.rooms.eventById(sent))!.pdu;
  expect(depth).toBe(Number.MAX_SAFE_INTEGER);
});

test("a flood into one room does not keep another one waiting, nor its own users", {
  timeout: 60_000,
}, async () => {
  const room = await ToldRoom.open("11", "c.example");
  const { rooms } = room.server;
  const carol = room.server.user("carol");
  const { room_id: calm } = await rooms.createRoom(room.server.request(), carol, {});
  const names = Array.from({ length: 1_000 }, (_, i) => `flood${i}`);
  const body = "x".repeat(64_000);
  for (const name of names) {
    room.story.tell(name, alice, { type: "m.room.message", content: { body } });
  }
  let isOver = false;
  const flood = room.receive(names).then((verdicts) => {
    isOver = true;
    return verdicts;
  });
  const send = (roomId: string, txnId: string) =>
    rooms.sendEvent(carol, { roomId, type: "m.room.message", txnId, content: {} });
  await send(calm, "1");
  expect(isOver).toBe(false);
  await send(room.roomId, "2");
  expect(isOver).toBe(false);
  expect(new Set((await flood).map(({ outcome }) => outcome))).toEqual(new Set(["accepted"]));
});

test("of events whose ancestors are nowhere nothing is kept", async () => {
  const room = await ToldRoom.open("11");
  room.story.message("lost", alice);
  const names = Array.from({ length: 500 }, (_, i) => `orphan${i}`);
  for (const [i, name] of names.entries()) {
    room.story.message(name, alice, { after: [i % 2 === 0 ? "lost" : names[i - 1]!] });
  }
  const before = await dump(room.server.storage);
  const verdicts = await room.receive(names.toReversed());
  for (const [i, verdict] of verdicts.toReversed().entries()) {
    const [prev] = i % 2 === 0 ? ["lost"] : [names[i - 1]!];
    expect(verdict).toMatchObject({ outcome: "missing", prevEvents: [room.id(prev!)] });
  }
  expect(await dump(room.server.storage)).toEqual(before);
});

test("a million missing ancestors are named to the caller, and nothing of them is kept", {
  timeout: 120_000,
}, async () => {
  const room = await ToldRoom.open("11");
  room.story.message("orphan", alice);
  const { eventId, pdu } = room.received("orphan");
  const before = await dump(room.server.storage);
  const reads = readsOf(room);
  // A thousand events at a time, each built upon as many unknown ones as an event may have. Browsers get fewer.
  const transactions = Math.min(50, Math.ceil(inject("roomRuns") / 2));
  for (let transaction = 0; transaction < transactions; transaction++) {
    const events = Array.from({ length: 1_000 }, (_, i): ReceivedEvent => {
      const name = `${transaction}-${i}`;
      const missing = Array.from({ length: 20 }, (_, at) => `$missing-${name}-${at}`);
      const orphan = { ...pdu, prev_events: missing };
      return { eventId: `${eventId}-${name}` as EventId, pdu: orphan, json: JSON.stringify(orphan) };
    });
    const verdicts = await room.server.rooms.input.receive(room.roomId, events);
    const told = verdicts.map((verdict) =>
      verdict.outcome === "missing" ? verdict.prevEvents.join() : verdict,
    );
    expect(told).toEqual(events.map(({ pdu: { prev_events: missing } }) => missing.join()));
  }
  // Each id is looked for once, and hardly anything besides.
  expect(reads()).toBeLessThan(1.1 * 20_000 * transactions);
  expect(await dump(room.server.storage)).toEqual(before);
});

describe("what waits for what does not come", () => {
  test.each([
    ["each for another", (i: number) => `$target${i}`],
    ["all for one", () => "$target"],
  ])("is so many in a room and no more, %s", async (_, targetOf) => {
    const storage = await testStorage();
    const awaited = new Awaited(storage);
    await awaited.for(1, "");
    await storage.commit((write) => {
      for (let i = 0; i < MOST_IN_ROOM + 500; i++) {
        awaited.add(write, 1, i + 1, [{ eventId: targetOf(i), as: "redaction" }]);
      }
      awaited.add(write, 2, 1, [{ eventId: "$elsewhere", as: "redaction" }]);
    });
    expect((await dump(storage)).awaited!.length).toBe(MOST_IN_ROOM + 1);
    expect((await awaited.for(1, targetOf(0)))[0]).toEqual({ nid: 1, as: ["redaction"] });
    expect(await awaited.for(1, `$target${MOST_IN_ROOM}`)).toEqual([]);
    // When there is room again, more may wait.
    await storage.commit((write) => {
      awaited.remove(write, 1, targetOf(0), [1]);
      awaited.add(write, 1, 999_999, [{ eventId: "$late", as: "auth" }]);
    });
    expect(await awaited.for(1, "$late")).toEqual([{ nid: 999_999, as: ["auth"] }]);
    const again = new Awaited(storage);
    expect(await again.for(1, "$late")).toEqual([{ nid: 999_999, as: ["auth"] }]);
  });
});

test("upon five thousand rejected events, one on top of the other, an accepted one costs no more than upon one", async () => {
  const room = await ToldRoom.open("11");
  const { story } = room;
  const names = Array.from({ length: 5_000 }, (_, i) => `no${i}`);
  // Another server's word that is no word: carol may not set topics.
  for (const name of names) story.state(name, "@carol:c.example", "m.room.topic", { topic: name });
  story.message("top", alice);
  story.message("low", alice, { after: ["no0"] });
  expect(new Set(await room.outcomes(names))).toEqual(new Set(["rejected"]));

  const costs: number[] = [];
  for (const name of ["top", "low"]) {
    const fresh = await room.reopened();
    // Where the room stands is known.
    await fresh.server.parts.heads.own(fresh.roomId);
    const reads = readsOf(fresh);
    expect(await fresh.outcomes([name])).toEqual(["accepted"]);
    costs.push(reads());
    expect((await fresh.extremities()).includes(name)).toBe(true);
  }
  expect(costs[0]).toBeLessThanOrEqual(costs[1]! + 5);
  expect(costs[0]).toBeLessThan(60);
  // What they are built upon is stored with each, and is one event.
  expect((await room.stored("no4999"))!.extremities).toEqual((await room.stored("no0"))!.extremities);
});

describe.each(["6", "11", "12"])("names that objects have of their own, in version %s", (version) => {
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", ""])(
    "%j as a type, a state key, and in content",
    async (name) => {
      const room = await ToldRoom.open(version);
      const { story } = room;
      const content = JSON.parse('{"__proto__": {"membership": "join"}, "constructor": 1}');
      story.tell("state", alice, { type: name, state_key: name, content });
      story.tell("message", "@carol:c.example", { type: name, content });
      story.tell("forbidden", "@carol:c.example", { type: name, state_key: name, content });
      expect(await room.outcomes(["state", "message", "forbidden"])).toEqual([
        "accepted",
        "accepted",
        "rejected",
      ]);
      for (const view of [room, await room.reopened()]) {
        expect(await view.entry(name, name)).toBe("state");
        const stored = (await view.stored("message"))!;
        expect(Object.hasOwn(stored.pdu.content, "__proto__")).toBe(true);
        expect(stored.pdu.type).toBe(name);
      }
    },
  );

  test("members with odd names", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    const names = ["@:a.example", "@__proto__:a.example", "@ü💥 :a.example", "@A/B=:a.example"];
    for (const userId of names) story.member(userId, userId, "join", { after: ["carol"] });
    expect(new Set(await room.outcomes(names))).toEqual(new Set(["accepted"]));
    const again = await room.reopened();
    const joined = await again.server.rooms.usersIn(await again.nid(), "join");
    expect(joined).toEqual(expect.arrayContaining(names));
  });

  test("members that are no users", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    const odd = ["", "bob", "@bob", "@nul\0:a.example", "__proto__"];
    for (const key of odd) story.member(`invite ${key}`, alice, "invite", { of: key, after: ["carol"] });
    await room.receive(odd.map((key) => `invite ${key}`));
    expect(await room.server.rooms.memberCounts(await room.nid())).toEqual({ joined: 3, invited: 0 });
    expect((await dump(room.server.storage)).memberships!.length).toBe(3);
  });
});
