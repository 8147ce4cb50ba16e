import { expect, test } from "vitest";
import { written } from "../../../../src/worker-roomserver/federation/door/answer.ts";
import { WrittenJson } from "../../../../src/worker-roomserver/federation/door/endpoint.ts";
import {
  type JoinAnswerContext,
  joinAnswer,
} from "../../../../src/worker-roomserver/federation/guests/join-answer.ts";

const MEMBERS = 10_000;

/** A room of which only numbers are there until somebody asks for events. */
function largeRoom() {
  const state = Array.from({ length: MEMBERS }, (_, i) => i + 1);
  let read = 0;
  const context = {
    roomQueries: { joinedState: async () => ({ state, authChain: [1, 2], servers: ["a.example"] }) },
    room: {
      events: async (nids: number[]) => {
        read += nids.length;
        return nids.map((nid) => ({ pdu: { type: "m.room.member", state_key: `@${nid}:a.example` } }));
      },
    },
  } as unknown as JoinAnswerContext;
  return { context, read: () => read };
}

const join = { eventId: "$join", pdu: { room_id: "!a:b" }, json: "" } as never;

test("the answer to a join is read as it is taken, and no more of it", async () => {
  const { context, read } = largeRoom();
  const answer = await joinAnswer(context, join, { omitMembers: false, isFirstForm: false });
  expect(answer).toBeInstanceOf(WrittenJson);
  const reader = written(answer).body!.getReader();
  let text = "";
  for (let piece = 0; piece < 3; piece++) text += new TextDecoder().decode((await reader.read()).value);
  expect(read()).toBeGreaterThan(0);
  expect(read()).toBeLessThan(MEMBERS / 10);
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += new TextDecoder().decode(next.value);
  }
  expect(JSON.parse(text)).toMatchObject({ event: { room_id: "!a:b" }, members_omitted: false });
  expect((JSON.parse(text) as { state: unknown[] }).state).toHaveLength(MEMBERS);
});

test("who goes away in the middle has nothing more read for them", async () => {
  const { context, read } = largeRoom();
  const body = written(await joinAnswer(context, join, { omitMembers: true, isFirstForm: true })).body!;
  const reader = body.getReader();
  await reader.read();
  await reader.read();
  const before = read();
  await reader.cancel();
  expect((await reader.read()).done).toBe(true);
  expect(read()).toBe(before);
});
