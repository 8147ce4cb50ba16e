import fc from "fast-check";
import { MatrixError } from "../../../../src/matrix/errors.ts";
import type { TestSync } from "./sync.ts";

/** What may happen in the rooms of a stage. */
export type Step =
  | { do: "say" | "name" | "topic"; who: "alice" | "bob"; room: number }
  | { do: "profile"; who: "alice" | "bob"; room: number }
  | { do: "join" | "leave"; who: "alice" | "carol"; room: number }
  | { do: "come or go"; room: number }
  | { do: "invite" | "kick" | "ban" | "unban"; room: number }
  | { do: "hide" | "show"; room: number }
  | { do: "redact"; room: number };

const room = fc.nat(1);
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("say", "name", "topic", "profile"),
      who: fc.constantFrom("alice", "bob"),
      room,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("join", "leave"),
      who: fc.constantFrom("alice", "carol"),
      room,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("come or go"), room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("invite", "kick", "ban", "unban"), room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("hide", "show", "redact"), room }) },
);

export type Stage = { t: TestSync; rooms: string[]; name: (who: string) => string };

/** Two rooms of bob's, and people whom no earlier run has met. */
export async function stage(t: TestSync, run: number): Promise<Stage> {
  const name = (who: string) => `${who}${run}`;
  const rooms = [await t.create(name("bob")), await t.create(name("bob"), { name: "Second" })];
  return { t, rooms, name };
}

async function carryOut({ t, rooms, name }: Stage, taken: Step): Promise<void> {
  const roomId = rooms[taken.room]!;
  const unique = crypto.randomUUID();
  switch (taken.do) {
    case "say":
      await t.say(name(taken.who), roomId, unique);
      return;
    case "name":
    case "topic":
      await t.setState(name(taken.who), roomId, `m.room.${taken.do}`, { [taken.do]: unique });
      return;
    case "profile": {
      const content = { membership: "join", displayname: unique };
      await t.setState(name(taken.who), roomId, "m.room.member", content, t.id(name(taken.who)));
      return;
    }
    case "join":
    case "leave":
      return t.act(name(taken.who), taken.do, roomId);
    case "come or go": {
      const { joined_rooms } = await t.rooms.joinedRooms(t.user(name("alice")));
      return t.act(name("alice"), joined_rooms.includes(roomId) ? "leave" : "join", roomId);
    }
    case "invite":
    case "kick":
    case "ban":
    case "unban":
      return t.act(name("bob"), taken.do, roomId, name("alice"));
    case "hide":
    case "show": {
      const content = { history_visibility: taken.do === "hide" ? "joined" : "shared" };
      await t.setState(name("bob"), roomId, "m.room.history_visibility", content);
      return;
    }
    case "redact": {
      const eventId = await t.say(name("bob"), roomId, unique);
      await t.rooms.redact(t.user(name("bob")), { roomId, eventId, txnId: unique, content: {} });
    }
  }
}

/** What the rules of the room forbid is not part of the history. */
export async function attempt(on: Stage, taken: Step): Promise<void> {
  try {
    await carryOut(on, taken);
  } catch (error) {
    if (!(error instanceof MatrixError && error.status === 403)) throw error;
  }
}
