import fc from "fast-check";
import { expect, inject, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { purgeRoom } from "../../../src/worker-roomserver/room/purge/purge-room.ts";
import { said } from "../support/open-parts.ts";
import { type Searching, searching } from "./searching.ts";

const WORDS = ["red", "green", "Grün", "東京", "blue"];
const USERS = ["alice", "bob", "carol"];
const TERMS = ["red", "green blue", "grun", "東", '"red green"', "京"];

type Step =
  | { do: "say" | "edit"; who: number; room: number; which: number; words: number[] }
  | { do: "redact" | "join" | "leave" | "close" | "purge"; who: number; room: number; which: number }
  | { do: "search" | "crash" };

const small = fc.nat({ max: 5 });
const words = fc.array(fc.nat({ max: WORDS.length - 1 }), { minLength: 1, maxLength: 3 });
const speaking = fc.record({
  do: fc.constantFrom("say", "edit"),
  who: small,
  room: small,
  which: small,
  words,
});
const acting = fc.record({
  do: fc.constantFrom("redact", "redact", "join", "leave", "close", "purge"),
  who: small,
  room: small,
  which: small,
});
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: speaking },
    { weight: 3, arbitrary: acting },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("search", "crash") }) },
  ),
  { maxLength: 25 },
) as fc.Arbitrary<Step[]>;

type Seen = JsonObject & { event_id: string; sender: string; type: string; content: JsonObject };
type Relation = { rel_type: string; event_id: string };

/** All that a user may see of a room, from the room's own pages. */
async function seen({ room, parts }: Searching, who: string, roomId: string): Promise<Seen[]> {
  const page = await room
    .messages(parts.user(who), roomId, { dir: "b", limit: 1_000, filter: {} })
    .catch(() => undefined);
  return page === undefined ? [] : said<{ chunk: Seen[] }>(page).chunk;
}

const relation = ({ content }: Seen) => content["m.relates_to"] as Relation | undefined;
const isAll = (text: string, term: string) => {
  const plain = text.replaceAll("Grün", "grun");
  if (term.startsWith('"')) return plain.includes(term.slice(1, -1));
  return term.split(" ").every((word) => plain.split(" ").some((own) => own === word || own.includes(word)));
};

/** What a search has to find, without an index: by what the room's owner sees, and what the user does. */
async function naive(
  home: Searching,
  who: string,
  roomIds: readonly string[],
  term: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const roomId of roomIds) {
    const all = await seen(home, "alice", roomId);
    const own = new Set((await seen(home, who, roomId)).map(({ event_id }) => event_id));
    const order = new Map(all.map(({ event_id }, i) => [event_id, i]));
    for (const event of all) {
      if (event.type !== "m.room.message" || relation(event)?.rel_type === "m.replace") continue;
      if (event.content.body === undefined) continue; // redacted: no edit says what it said
      // The newest comes first, and no two are of one time.
      const [edit] = all
        .filter((one) => relation(one)?.event_id === event.event_id && one.sender === event.sender)
        .sort((one, other) => order.get(one.event_id)! - order.get(other.event_id)!);
      const content = (edit?.content["m.new_content"] ?? event.content) as JsonObject;
      if (typeof content.body !== "string" || !isAll(content.body, term)) continue;
      if (own.has(event.event_id) && (edit === undefined || own.has(edit.event_id)))
        found.push(event.event_id);
    }
  }
  return found;
}

class Story {
  home: Searching;
  /** `messages`: what was said, and edits of it. */
  rooms: { roomId: string; messages: { id: string; who: string; of?: string }[] }[] = [];

  constructor(home: Searching) {
    this.home = home;
  }

  async begin(): Promise<void> {
    const roomId = await this.home.parts.create("alice", { preset: "public_chat" });
    this.rooms.push({ roomId, messages: [] });
  }

  async run(step: Step): Promise<void> {
    const { home, rooms } = this;
    if (!("room" in step)) {
      if (step.do === "search") await home.search.caughtUp();
      else this.home = await home.reopen();
      return;
    }
    const room = rooms[step.room % rooms.length]!;
    const who = USERS[step.who % USERS.length]!;
    const { roomId, messages } = room;
    const target = messages[step.which % Math.max(messages.length, 1)];
    switch (step.do) {
      case "say":
        await this.#try(async () => {
          messages.push({ id: await home.say(roomId, who, textOf(step.words)), who });
        });
        return;
      case "edit":
        if (target === undefined) return;
        // An edit of an edit, and one by another, are among them: they must change nothing.
        await this.#try(async () => {
          const id = await home.edit(
            roomId,
            step.which === 0 ? who : target.who,
            target.id,
            textOf(step.words),
          );
          messages.push({ id, who });
        });
        return;
      case "redact":
        if (target !== undefined) await this.#try(() => home.parts.redact(roomId, "alice", target.id));
        return;
      case "join":
      case "leave":
        if (who !== "alice") await this.#try(() => home.parts.act(roomId, step.do as "join" | "leave", who));
        return;
      case "close": {
        const history_visibility = step.which % 2 === 0 ? "joined" : "shared";
        await home.parts.setState(roomId, "alice", "m.room.history_visibility", { history_visibility });
        return;
      }
      case "purge":
        if (step.which !== 0) return;
        await purgeRoom(home.parts, roomId);
        this.rooms = rooms.filter((one) => one !== room);
        await this.begin();
    }
  }

  /** Steps that the room does not allow are no steps. */
  async #try(act: () => Promise<unknown>): Promise<void> {
    await act().catch((error: { status?: number }) => {
      if (error.status === undefined || error.status >= 500) throw error;
    });
  }
}

const textOf = (numbers: readonly number[]) => numbers.map((i) => WORDS[i]).join(" ");

test("a search finds what a look at all that is there finds, whatever has happened in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const story = new Story(await searching());
      await story.begin();
      await story.begin();
      for (const step of all) await story.run(step);
      const { home } = story;
      const roomIds = story.rooms.map(({ roomId }) => roomId);
      for (const who of USERS) {
        for (const term of TERMS) {
          const expected = (await naive(home, who, roomIds, term)).sort();
          for (const order_by of ["rank", "recent"] as const) {
            const found = await home.all(who, term, { order_by, filter: { limit: 2 } });
            expect([...found].sort(), `${who} looks for ${term}`).toEqual(expected);
          }
        }
      }
    }),
    { numRuns: Math.ceil(inject("roomRuns") / 4) },
  );
});
