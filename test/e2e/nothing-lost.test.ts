import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  call,
  followSync,
  type Login,
  type Report,
  readHistory,
  sendMessages,
  type TimelineEvent,
} from "./support/client-in-page.ts";
import { Journal } from "./support/journal.ts";
import { seededRandom } from "./support/random.ts";
import { type Blow, planOf, Siege } from "./support/siege.ts";
import { watchBrowser } from "./support/watch-browser.ts";

const random = seededRandom();

/** What happens to the homeserver, and how often. */
const blows: Record<Blow, number> = {
  "the browser is killed": 8,
  "the browser is killed while the homeserver starts": 2,
  "the leading tab is closed": 6,
  "the leading tab crashes": 4,
  "the service worker is stopped": 7,
};

/** Most senders insist; the forgetful give up what was not acknowledged. */
const senders = [
  { sender: "alice-1", user: "alice", room: 0, patient: true },
  { sender: "alice-2", user: "alice", room: 0, patient: true },
  { sender: "alice-3", user: "alice", room: 1, patient: false },
  { sender: "bob-1", user: "bob", room: 0, patient: true },
  { sender: "bob-2", user: "bob", room: 1, patient: true },
  { sender: "bob-3", user: "bob", room: 2, patient: false },
] as const;

type Work = (typeof senders)[number] | { observer: "alice" | "bob" };

describe(`what is acknowledged survives whatever happens (HEARTH_SEED=${random.seed})`, () => {
  const url = inject("distUrl");
  const base = url.replace(/\/$/, "");
  const journal = new Journal();
  let rooms: string[];
  let logins: { alice: Login; bob: Login };
  let stopsSending = false;
  /** The last event of each room: who has been told of it has been told of everything. */
  let endMarks: { roomId: string; eventId: string }[] = [];

  const goOn = (report: Report): boolean => {
    journal.add(report);
    if (report.kind !== "synced") return !stopsSending;
    const sawAll = endMarks.every(({ roomId, eventId }) => journal.hasSeen(report.observer, roomId, eventId));
    return endMarks.length === 0 || !sawAll;
  };
  const start = (page: Page, work: Work): Promise<void> => {
    if ("observer" in work) {
      const since = journal.followed.get(work.observer)?.since;
      return page.evaluate(followSync, { ...logins[work.observer], ...work, since });
    }
    const missed = journal.next.get(work.sender) ?? 0;
    // The forgetful do not look back at what they were about to send.
    const from = work.patient || missed === 0 ? missed : missed + 1;
    const { user, room, ...rest } = work;
    return page.evaluate(sendMessages, { ...logins[user], ...rest, roomId: rooms[room]!, from });
  };
  const siege = new Siege<Work>({
    url,
    shifts: [
      [...senders.slice(0, 3), { observer: "alice" }],
      [...senders.slice(3), { observer: "bob" }],
    ],
    start,
    goOn,
    state: () => journal.state(),
  });

  beforeAll(() => siege.begin());
  afterAll(() => siege.end());

  test("senders send while tabs, service worker and browser are killed", { timeout: 240_000 }, async () => {
    const setUp = await siege.openTab();
    const ask = (login: Login, method: string, path: string, body?: unknown) =>
      setUp.page.evaluate(call, { ...login, method, path, body });
    const register = async (username: string): Promise<Login> => {
      const auth = { type: "m.login.dummy" };
      const body = { username, password: `the password of ${username}`, auth };
      const answer = await setUp.page.evaluate(call, { base, method: "POST", path: "register", body });
      return { base, token: String(answer.access_token) };
    };
    logins = { alice: await register("alice"), bob: await register("bob") };
    rooms = [];
    for (const name of ["one", "two", "three"]) {
      const body = { preset: "public_chat", name };
      const { room_id } = await ask(logins.alice, "POST", "createRoom", body);
      await ask(logins.bob, "POST", `join/${encodeURIComponent(String(room_id))}`, {});
      rooms.push(String(room_id));
    }
    await setUp.page.close();

    await siege.openTabs();
    for (const blow of planOf(random, blows)) {
      const reports = journal.more(
        random.between(0, 60),
        random.between(1, 4) === 1 ? "asks" : "acknowledged",
      );
      await siege.within(60, `reports before "${blow}"`, reports);
      await siege.strike(blow);
    }
    await siege.within(60, "reports at the end", journal.more(60, "acknowledged"));
    expect(siege.done).toEqual(blows);

    stopsSending = true;
    // What is under way yet, or is tried again, must not come after the marks.
    await siege.within(
      60,
      "the end of sending",
      siege.finished((work) => "sender" in work),
    );
    const last = siege.tabs[0]!.page;
    const marks: typeof endMarks = [];
    for (const roomId of rooms) {
      const path = `rooms/${encodeURIComponent(roomId)}/send/m.room.message/end`;
      const body = { msgtype: "m.text", body: "end" };
      const answer = await last.evaluate(call, { ...logins.alice, method: "PUT", path, body });
      marks.push({ roomId, eventId: String(answer.event_id) });
    }
    endMarks = marks;
    await siege.within(
      60,
      "the end of following",
      siege.finished((work) => "observer" in work),
    );
    expect(siege.surprises).toEqual([]);
    expect(journal.contradictions).toEqual([]);
    // A client takes no answer and 503 as "try again"; anything else would have made it give up.
    expect([...journal.refusals.keys()].filter((status) => status !== 0 && status !== 503)).toEqual([]);
  });

  test("every acknowledged event is there once, in order, whole, and synced", async () => {
    await siege.chromium.close();
    await siege.launch();
    const watch = watchBrowser(siege.chromium.context, url);
    const { page } = await siege.openTab();
    const initial = await page.evaluate(call, { ...logins.alice, method: "GET", path: "sync" });
    const joined =
      (initial as { rooms?: { join: Record<string, { timeline: Timeline }> } }).rooms?.join ?? {};

    for (const [index, roomId] of rooms.entries()) {
      const limit = random.between(7, 90);
      const read = (dir: "b" | "f") => page.evaluate(readHistory, { ...logins.bob, roomId, dir, limit });
      const [newestFirst, oldestFirst] = [await read("b"), await read("f")];
      const ids = oldestFirst.map((event) => event.event_id);
      expect(newestFirst.map((event) => event.event_id).reverse()).toEqual(ids);
      expect(new Set(ids).size).toBe(ids.length);

      const messages = oldestFirst.filter((event) => event.type === "m.room.message");
      const idByBody = new Map(messages.map((event) => [event.content.body, event.event_id]));
      expect(idByBody.size).toBe(messages.length);
      expect(messages.at(-1)?.event_id).toBe(endMarks[index]?.eventId);
      for (const { content } of messages.slice(0, -1))
        expect(content.padding).toHaveLength(content.padding_length!);

      for (const { sender, patient } of senders.filter(({ room }) => room === index)) {
        const acknowledged = journal.acknowledged.get(sender)!;
        const found = numbersOf(sender, messages);
        expect([...acknowledged].filter(([n, id]) => idByBody.get(`${sender} ${n}`) !== id)).toEqual([]);
        expect(found.filter((number) => acknowledged.has(number))).toEqual([...acknowledged.keys()]);
        expect(Math.max(...found)).toBeLessThanOrEqual(journal.next.get(sender)!);
        // Who insists leaves no gap.
        if (patient) expect(found).toEqual(found.map((_, place) => place));
      }

      for (const observer of ["alice", "bob"]) {
        const followed = journal.followed.get(observer)?.timelines.get(roomId) ?? [];
        const told = followed.filter((event) => event.type === "m.room.message");
        expect(told).toEqual(messages.map((event) => expect.objectContaining({ event_id: event.event_id })));
      }
      const { events, limited } = joined[roomId]!.timeline;
      expect(limited).toBe(true);
      expect(events.map((event) => event.event_id)).toEqual(ids.slice(-events.length));
    }
    expect(watch.errors).toEqual([]);
  });
});

type Timeline = { events: TimelineEvent[]; limited: boolean };

/** The numbers of a sender's messages, in the order of the timeline. */
function numbersOf(sender: string, messages: readonly TimelineEvent[]): number[] {
  return messages
    .map((event) => event.content.body?.split(" ") ?? [])
    .flatMap(([name, number]) => (name === sender ? [Number(number)] : []));
}
