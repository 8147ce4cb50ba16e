import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type ChromiumProcess, startChromium } from "./support/chromium-process.ts";
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
import { stopServiceWorker } from "./support/service-worker-stop.ts";
import { watchBrowser } from "./support/watch-browser.ts";

const random = seededRandom();

/** What happens to the homeserver, and how often. */
const blows = {
  "the browser is killed": 8,
  "the browser is killed while the homeserver starts": 2,
  "the leading tab is closed": 6,
  "the leading tab crashes": 4,
  "the service worker is stopped": 7,
};
type Blow = keyof typeof blows;

/** Most senders insist; the forgetful give up what was not acknowledged. */
const senders = [
  { sender: "alice-1", user: "alice", room: 0, patient: true },
  { sender: "alice-2", user: "alice", room: 0, patient: true },
  { sender: "alice-3", user: "alice", room: 1, patient: false },
  { sender: "bob-1", user: "bob", room: 0, patient: true },
  { sender: "bob-2", user: "bob", room: 1, patient: true },
  { sender: "bob-3", user: "bob", room: 2, patient: false },
] as const;

/** A tab, and what runs in it. */
type Tab = {
  page: Page;
  /** From here on its end is no surprise. */
  doomed: boolean;
  senders: (typeof senders)[number][];
  observers: ("alice" | "bob")[];
};

describe(`what is acknowledged survives whatever happens (HEARTH_SEED=${random.seed})`, () => {
  const url = inject("distUrl");
  const base = url.replace(/\/$/, "");
  const journal = new Journal();
  /** What ended that should not have ended. */
  const surprises: string[] = [];
  const done = Object.fromEntries(Object.keys(blows).map((blow) => [blow, 0])) as Record<Blow, number>;
  let profileDir: string;
  let chromium: ChromiumProcess;
  let rooms: string[];
  let logins: { alice: Login; bob: Login };
  let tabs: Tab[] = [];
  let stopsSending = false;
  /** The last event of each room: who has been told of it has been told of everything. */
  let endMarks: { roomId: string; eventId: string }[] = [];

  const goOn = (report: Report): boolean => {
    journal.add(report);
    if (report.kind !== "synced") return !stopsSending;
    const sawAll = endMarks.every(({ roomId, eventId }) => journal.hasSeen(report.observer, roomId, eventId));
    return endMarks.length === 0 || !sawAll;
  };
  const launch = async () => {
    chromium = await startChromium(profileDir);
    chromium.context.on("weberror", (error) => surprises.push(String(error.error().stack)));
    await chromium.context.exposeBinding("report", (_, report: Report) => goOn(report));
  };
  const openTab = async (): Promise<Tab> => {
    const page = await chromium.context.newPage();
    await page.goto(url);
    await page.locator('[data-phase="ready"], [data-phase="following"]').waitFor();
    return { page, doomed: false, senders: [], observers: [] };
  };
  const leads = (tab: Tab) => tab.page.locator('[data-phase="ready"]').isVisible();

  /** Work that is under way, to be waited for at the end. */
  const sending = new Set<Promise<void>>();
  const observing = new Set<Promise<void>>();
  const run = (work: Set<Promise<void>>, tab: Tab, job: Promise<void>) => {
    const watched = job
      .catch((error: unknown) => {
        if (!tab.doomed) surprises.push(String(error));
      })
      .finally(() => work.delete(watched));
    work.add(watched);
  };
  const startSender = (tab: Tab, sender: (typeof senders)[number]) => {
    tab.senders.push(sender);
    const missed = journal.next.get(sender.sender) ?? 0;
    // The forgetful do not look back at what they were about to send.
    const from = sender.patient || missed === 0 ? missed : missed + 1;
    const { user, room, ...rest } = sender;
    run(
      sending,
      tab,
      tab.page.evaluate(sendMessages, { ...logins[user], ...rest, roomId: rooms[room]!, from }),
    );
  };
  const startObserver = (tab: Tab, observer: "alice" | "bob") => {
    tab.observers.push(observer);
    const since = journal.followed.get(observer)?.since;
    run(observing, tab, tab.page.evaluate(followSync, { ...logins[observer], observer, since }));
  };
  const takeOver = (tab: Tab, from: Pick<Tab, "senders" | "observers">) => {
    for (const sender of from.senders) startSender(tab, sender);
    for (const observer of from.observers) startObserver(tab, observer);
  };
  /** Two tabs again, with the work divided between them. */
  const openTabs = async () => {
    const first = await openTab();
    takeOver(first, { senders: senders.slice(0, 3), observers: ["alice"] });
    const second = await openTab();
    takeOver(second, { senders: senders.slice(3), observers: ["bob"] });
    tabs = [first, second];
  };
  const killBrowser = async () => {
    for (const tab of tabs) tab.doomed = true;
    expect(await chromium.kill()).toBe("SIGKILL");
    tabs = [];
  };

  /** Waits for what may never come, and then says how everything stood. */
  const within = async <T>(seconds: number, what: string, wait: Promise<T>): Promise<T> => {
    let late: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        void describeTabs().then((stand) => reject(new Error(`${what}: not after ${seconds} s; ${stand}`)));
      }, 1_000 * seconds);
    });
    try {
      return await Promise.race([wait, limit]);
    } finally {
      clearTimeout(late);
    }
  };
  const describeTabs = async (): Promise<string> => {
    const phases = tabs.map(async ({ page, senders, observers }) => ({
      phase: await Promise.race([
        page
          .locator("[data-phase]")
          .first()
          .getAttribute("data-phase", { timeout: 2_000 })
          .catch((error: unknown) => String(error)),
        new Promise<string>((resolve) => setTimeout(resolve, 4_000, "no answer")),
      ]),
      senders: senders.map(({ sender }) => sender),
      observers,
    }));
    const counts = [...journal.acknowledged].map(([sender, events]) => [sender, events.size]);
    return JSON.stringify({
      done,
      tabs: await Promise.all(phases),
      acknowledged: Object.fromEntries(counts),
      next: Object.fromEntries(journal.next),
      refusals: Object.fromEntries(journal.refusals),
      followed: [...journal.followed].map(([observer, { since }]) => [observer, since]),
      surprises,
    });
  };

  /** Ends the tab that leads; the other one leads on, and a new one takes over the work that ended. */
  const endLeader = async (end: (page: Page) => Promise<void>) => {
    const [first, second] = tabs as [Tab, Tab];
    const [leader, other] = (await leads(first)) ? [first, second] : [second, first];
    expect([await leads(leader), await leads(other)]).toEqual([true, false]);
    leader.doomed = true;
    await end(leader.page);
    const successor = await openTab();
    takeOver(successor, leader);
    await other.page.locator('[data-phase="ready"]').waitFor();
    tabs = [other, successor];
  };

  const strike: Record<Blow, () => Promise<void>> = {
    async "the browser is killed"() {
      await killBrowser();
      await launch();
      await openTabs();
    },
    async "the browser is killed while the homeserver starts"() {
      await killBrowser();
      await launch();
      const page = await chromium.context.newPage();
      await Promise.all([page.waitForEvent("worker"), page.goto(url, { waitUntil: "commit" })]);
      await killBrowser();
      await launch();
      await openTabs();
    },
    "the leading tab is closed": () => endLeader((page) => page.close()),
    "the leading tab crashes": () =>
      endLeader(async (page) => {
        const session = await page.context().newCDPSession(page);
        // It takes its renderer down before it is answered.
        const crash = session.send("Page.crash").catch((error: unknown) => String(error));
        await Promise.race([page.waitForEvent("crash"), crash]);
        await page.close();
      }),
    async "the service worker is stopped"() {
      await stopServiceWorker(tabs[0]!.page);
    },
  };

  beforeAll(async () => {
    profileDir = await mkdtemp(join(tmpdir(), "hearth-nothing-lost-"));
    await launch();
  });
  afterAll(async () => {
    await chromium.close();
    await rm(profileDir, { recursive: true, force: true });
  });

  test("senders send while tabs, service worker and browser are killed", { timeout: 240_000 }, async () => {
    const setUp = await openTab();
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

    await openTabs();
    const plan = random.shuffled(
      (Object.keys(blows) as Blow[]).flatMap((blow) => Array<Blow>(blows[blow]).fill(blow)),
    );
    for (const blow of plan) {
      const reports = journal.more(
        random.between(0, 60),
        random.between(1, 4) === 1 ? "asks" : "acknowledged",
      );
      await within(60, `reports before "${blow}"`, reports);
      await within(60, blow, strike[blow]());
      done[blow] += 1;
    }
    await within(60, "reports at the end", journal.more(60, "acknowledged"));
    expect(done).toEqual(blows);

    stopsSending = true;
    // What is under way yet, or is tried again, must not come after the marks.
    await within(60, "the end of sending", Promise.all(sending));
    const last = tabs[0]!.page;
    const marks: typeof endMarks = [];
    for (const roomId of rooms) {
      const path = `rooms/${encodeURIComponent(roomId)}/send/m.room.message/end`;
      const body = { msgtype: "m.text", body: "end" };
      const answer = await last.evaluate(call, { ...logins.alice, method: "PUT", path, body });
      marks.push({ roomId, eventId: String(answer.event_id) });
    }
    endMarks = marks;
    await within(60, "the end of following", Promise.all(observing));
    expect(surprises).toEqual([]);
    expect(journal.contradictions).toEqual([]);
    // A client takes no answer and 503 as "try again"; anything else would have made it give up.
    expect([...journal.refusals.keys()].filter((status) => status !== 0 && status !== 503)).toEqual([]);
  });

  test("every acknowledged event is there once, in order, whole, and synced", async () => {
    await chromium.close();
    await launch();
    const watch = watchBrowser(chromium.context, url);
    const { page } = await openTab();
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
