import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { MatrixError } from "../../../src/matrix/errors.ts";
import { RoomServer } from "../../../src/worker-roomserver/room/room-server.ts";
import { Directory } from "../../../src/worker-roomserver/user-directory/directory.ts";
import { type TestParts, testParts } from "../support/room-parts.ts";
import { failCommit } from "../support/rounds.ts";

const USERS = ["user0", "user1", "user2", "user3"] as const;
/** What they call themselves: no id has an 8 or 9, as the server's name is in base32. */
const NAMES = ["Ada 98", "Bea 89", "Cleo 99"] as const;
const ROOMS = 2;

type Event =
  | { do: "join"; who: string; room: number }
  | { do: "leave"; who: string; room: number }
  | { do: "kick"; who: string; room: number; target: string }
  | { do: "name"; who: string; room: number; name: string | undefined }
  | { do: "rules"; who: string; room: number; join_rule: "public" | "invite" }
  | { do: "visibility"; who: string; room: number; history_visibility: "world_readable" | "shared" };
type Command = Event | { do: "search"; who: string } | { do: "crash" } | { do: "rollback" };

const by = { who: fc.constantFrom(...USERS), room: fc.nat(ROOMS - 1) };
/** Mostly the one who may. */
const byOwner = { ...by, who: fc.oneof({ weight: 4, arbitrary: fc.constant(USERS[0]) }, by.who) };
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ do: fc.constant("join" as const), ...by }),
  fc.record({ do: fc.constant("leave" as const), ...by }),
  fc.record({ do: fc.constant("kick" as const), ...byOwner, target: fc.constantFrom(...USERS) }),
  fc.record({ do: fc.constant("name" as const), ...by, name: fc.constantFrom(undefined, ...NAMES) }),
  fc.record({
    do: fc.constant("rules" as const),
    ...byOwner,
    join_rule: fc.constantFrom("public" as const, "invite" as const),
  }),
  fc.record({
    do: fc.constant("visibility" as const),
    ...byOwner,
    history_visibility: fc.constantFrom("world_readable" as const, "shared" as const),
  }),
  fc.record({ do: fc.constant("search" as const), who: by.who }),
  fc.constantFrom({ do: "crash" as const }, { do: "rollback" as const }),
);

/** A room as it should be: who is in it, and what they are called there. */
type Room = { id: string; members: Map<string, string | undefined>; isPublic: boolean; isReadable: boolean };

class Trial {
  #parts!: TestParts;
  #server!: RoomServer;
  #directory!: Directory;
  readonly #rooms: Room[] = [];
  /** Searches that go on while other things happen: what they find is not looked at, only what they leave behind. */
  readonly #searches: Promise<unknown>[] = [];

  async begin(): Promise<this> {
    await this.#open(undefined);
    for (let i = 0; i < ROOMS; i++) {
      const id = await this.#parts.create("user0", { preset: "public_chat" });
      this.#rooms.push({ id, members: new Map([["user0", undefined]]), isPublic: true, isReadable: false });
    }
    return this;
  }

  async #open(name: string | undefined): Promise<void> {
    this.#parts = await testParts(name);
    const { storage, author } = this.#parts;
    this.#server = new RoomServer(this.#parts, {
      onActivity: () => undefined,
      ignoredBy: async () => new Set(),
    });
    this.#directory = new Directory({ storage, room: this.#server, serverName: author.serverName });
  }

  async carryOut(command: Command): Promise<void> {
    const { storage } = this.#parts;
    if (command.do === "search") {
      this.#searches.push(this.#directory.search(this.#parts.user(command.who), "user", 50));
    } else if (command.do === "rollback") await failCommit(storage);
    else if (command.do === "crash") {
      await Promise.all(this.#searches.splice(0));
      this.#directory.close();
      storage.close();
      await this.#open(storage.name);
    } else if (await this.#isDone(command)) this.#note(command);
  }

  /** Each of them finds whom they should, under a name that they should. */
  async check(): Promise<void> {
    await Promise.all(this.#searches.splice(0));
    for (const who of USERS) {
      for (const term of ["user", ...NAMES]) {
        const { results } = await this.#directory.search(this.#parts.user(who), term, 50);
        const wanted = this.#wanted(who, term);
        expect([...results.map(({ user_id }) => user_id)].sort()).toEqual([...wanted.keys()].sort());
        for (const { user_id, display_name } of results) expect(wanted.get(user_id)).toContain(display_name);
      }
    }
    this.#directory.close();
  }

  /** From all rooms anew: users, and the names by which they are found. */
  #wanted(who: string, term: string): Map<string, (string | undefined)[]> {
    const wanted = new Map<string, (string | undefined)[]>();
    for (const { members, isPublic, isReadable } of this.#rooms) {
      if (!members.has(who) && !isPublic && !isReadable) continue;
      for (const [member, name] of members) {
        if (member === who || (term !== "user" && name !== term)) continue;
        const { userId } = this.#parts.user(member);
        wanted.set(userId, [...(wanted.get(userId) ?? []), name]);
      }
    }
    return wanted;
  }

  async #isDone(command: Event): Promise<boolean> {
    const { id, members } = this.#rooms[command.room]!;
    const { who } = command;
    const state = (type: string, content: { [name: string]: string }) =>
      this.#parts.setState(id, who, type, content);
    try {
      if (command.do === "join") await this.#parts.act(id, "join", who);
      else if (command.do === "leave") await this.#parts.act(id, "leave", who);
      else if (command.do === "kick") {
        if (!members.has(command.target)) return false;
        await this.#parts.act(id, "kick", who, command.target);
      } else if (command.do === "rules") await state("m.room.join_rules", { join_rule: command.join_rule });
      else if (command.do === "visibility") {
        await state("m.room.history_visibility", { history_visibility: command.history_visibility });
      } else {
        if (!members.has(who)) return false;
        const user = this.#parts.user(who);
        await this.#server.setState(crypto.randomUUID(), user, {
          roomId: id,
          type: "m.room.member",
          stateKey: user.userId,
          content: { membership: "join", ...(command.name !== undefined && { displayname: command.name }) },
        });
      }
      return true;
    } catch (error) {
      if (error instanceof MatrixError && error.status === 403) return false;
      throw error;
    }
  }

  #note(command: Event): void {
    const room = this.#rooms[command.room]!;
    const { who } = command;
    if (command.do === "join" && !room.members.has(who)) room.members.set(who, undefined);
    else if (command.do === "leave") room.members.delete(who);
    else if (command.do === "kick") room.members.delete(command.target);
    else if (command.do === "name") room.members.set(who, command.name);
    else if (command.do === "rules") room.isPublic = command.join_rule === "public";
    else if (command.do === "visibility") room.isReadable = command.history_visibility === "world_readable";
  }
}

test("whatever order people come, go, are named and rooms are closed in, and whenever the homeserver ends, a recount finds the same", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 40 }), async (commands) => {
      const trial = await new Trial().begin();
      for (const each of commands) await trial.carryOut(each);
      await trial.check();
    }),
    { numRuns: Math.ceil(inject("roomRuns") / 5) },
  );
});
