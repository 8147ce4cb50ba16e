import fc from "fast-check";
import { expect, test } from "vitest";
import { Story } from "../../../reference/story.ts";
import { testRooms } from "../../support/room.ts";
import { received } from "./hosted-room.ts";

test.each(["1", "10", "11", "12"])(
  "a room of version %s is whole, in whatever order its events are given",
  async (version) => {
    const story = new Story(version);
    story.member("again", "@bob:b.example", "join");
    story.member("dave", "@dave:d.example", "join");
    const state = ["create", "alice", "levels", "public", "again", "carol"];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(state, { minLength: state.length }),
        fc.boolean(),
        async (names, isApart) => {
          // A server may give the state and all of its auth chain, or of that only what is not in the state.
          const chain = isApart ? ["bob"] : [...names, "bob"];
          const { rooms } = await testRooms();
          const verdict = await rooms.input.takeInRoom({
            version,
            event: received(story.event("dave")),
            state: names.map((name) => received(story.event(name))),
            authChain: chain.map((name) => received(story.event(name))),
          });
          expect(verdict.outcome).toBe("accepted");
          const dave = await rooms.eventById(story.event("dave").eventId);
          const before = await rooms.events(await rooms.stateOf(dave!.stateBefore));
          expect(new Set(before.map(({ eventId }) => eventId))).toEqual(
            new Set(state.map((name) => story.event(name).eventId)),
          );
          expect(new Set(await rooms.usersIn(dave!.room, "join"))).toEqual(
            new Set(["@alice:a.example", "@bob:b.example", "@carol:c.example", "@dave:d.example"]),
          );
        },
      ),
      { numRuns: 20 },
    );
  },
);
