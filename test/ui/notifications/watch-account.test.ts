import { expect, test } from "vitest";
import type { NewEvent } from "../../../src/ui/notifications/note.ts";
import { type WatchSurroundings, watchAccount } from "../../../src/ui/notifications/watch-account.ts";

const account = { userId: "@me:h", deviceId: "D", accessToken: "secret" };

const event = (room_id: string, body: string): NewEvent => ({
  room_id,
  type: "m.room.message",
  sender: "@bob:h",
  sender_display_name: "Bob",
  content: { body },
  ts: 1,
  tweaks: {},
});

/** A homeserver that gives these answers, one after the other, and then says that the login has ended. */
async function watched(answers: (object | number | Error)[], viewed: string[] = []) {
  const told: string[] = [];
  const asked: { path: string; authorization: string | null }[] = [];
  const surroundings: WatchSurroundings = {
    baseUrl: "https://home.example/hearth",
    fetch: async (input, init) => {
      asked.push({ path: String(input), authorization: new Headers(init?.headers).get("Authorization") });
      const answer = answers.shift() ?? 401;
      if (answer instanceof Error) throw answer;
      if (typeof answer === "number") return new Response("{}", { status: answer });
      return Response.json(answer);
    },
    shade: {
      show: async ({ options }) => void told.push(`show ${options.data.roomId} ${options.body}`),
      close: async (tag) => void told.push(`close ${tag}`),
    },
    isViewed: async (userId, roomId) => viewed.includes(`${userId} ${roomId}`),
    pause: async (ms) => void told.push(`pause ${ms}`),
  };
  await watchAccount(account, surroundings, new AbortController().signal);
  return { told, asked };
}

test("shows what comes, takes away what was read, and goes on from there until the login ends", async () => {
  const { told, asked } = await watched([
    { next: "h1", notifications: [], read: [] },
    { next: "h2", notifications: [event("!a:h", "1"), event("!b:h", "2")], read: [] },
    { next: "h3", notifications: [], read: ["!a:h"] },
  ]);
  expect(told).toEqual(["show !a:h 1", "show !b:h 2", 'close ["@me:h","!a:h"]']);
  const base = "https://home.example/hearth/_hearth/v1/notifications?timeout=25000";
  expect(asked.map(({ path }) => path)).toEqual([
    base,
    `${base}&from=h1`,
    `${base}&from=h2`,
    `${base}&from=h3`,
  ]);
  expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer secret"]));
});

test("shows nothing of a room that somebody looks at", async () => {
  const news = { next: "h1", notifications: [event("!a:h", "1"), event("!b:h", "2")], read: [] };
  expect((await watched([news], ["@me:h !a:h", "@you:h !b:h"])).told).toEqual(["show !b:h 2"]);
});

test("asks again from where it was after a moment without an answer", async () => {
  const { told, asked } = await watched([
    { next: "h1", notifications: [], read: [] },
    503,
    new TypeError("no network"),
    { next: "h2", notifications: [event("!a:h", "1")], read: [] },
  ]);
  expect(told).toEqual(["pause 5000", "pause 5000", "show !a:h 1"]);
  expect(asked.slice(1, 4).every(({ path }) => path.endsWith("from=h1"))).toBe(true);
});

test("ends when it is told to", async () => {
  const stop = new AbortController();
  let asked = 0;
  const never = async () => {
    throw new Error("was not expected to be called");
  };
  await watchAccount(
    account,
    {
      baseUrl: "",
      fetch: async () => {
        asked += 1;
        stop.abort();
        throw stop.signal.reason;
      },
      shade: { show: never, close: never },
      isViewed: never,
      pause: never,
    },
    stop.signal,
  );
  expect(asked).toBe(1);
});
