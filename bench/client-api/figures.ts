import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchPage, startBrowser } from "../browser.ts";
import { type Account, type Latencies, makeRooms, register, rest, sendMany } from "../in-page.ts";
import { openHomeserver } from "../open-homeserver.ts";
import { type Figure, quantile } from "../table.ts";
import {
  type Asked,
  firstSync,
  joinAll,
  makeManyRooms,
  requestLatency,
  sayRareWords,
  syncToken,
} from "./in-page.ts";
import { mediaFigures } from "./media.ts";

/*
 * What clients ask all the time, over the client API of the built page. The floor is a fetch that the service worker
 * answers alone, where nothing else is said.
 */

const MEMBERS = 100;
const SYNCED_ROOMS = 200;
const LISTED_ROOMS = 2_000;
const SEARCHED_MESSAGES = 100_000;

/** Each in a profile of its own: filling one takes minutes, and they may be asked for one by one. */
const parts = {
  sync: syncFigures,
  window: windowFigures,
  search: searchFigures,
  media: (url: string, say: (text: string) => void) => inNewProfile(url, (page) => mediaFigures(page, say)),
};

/**
 * @param part - one of them, or all
 * @param say - is told what is going on
 */
export async function clientApiFigures(
  url: string,
  part: string | undefined,
  say: (text: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (part === undefined || part === name) figures.push(...(await measure(url, say)));
  }
  return figures;
}

async function inNewProfile(url: string, measure: (page: BenchPage) => Promise<Figure[]>): Promise<Figure[]> {
  const profileDir = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  const browser = await startBrowser(profileDir);
  try {
    return await measure(await openHomeserver(browser, url));
  } finally {
    await browser.close();
    await rm(profileDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function syncFigures(url: string, say: (text: string) => void): Promise<Figure[]> {
  return inNewProfile(url, async (page) => {
    say(`making ${SYNCED_ROOMS} rooms of ${MEMBERS} members`);
    const accounts: Account[] = [];
    for (let i = 0; i < MEMBERS; i++) accounts.push(await page.evaluate(register, `user${i}`));
    const [owner, ...others] = accounts as [Account, ...Account[]];
    const rooms = await page.evaluate(makeRooms, { owner, others: [], count: SYNCED_ROOMS });
    await page.evaluate(joinAll, { accounts: others, rooms });
    await page.evaluate(rest, undefined);

    say("first and later syncs, a page of messages");
    const first = await page.evaluate(firstSync, { account: owner, rounds: 9 });
    const since = await page.evaluate(syncToken, owner);
    const { token } = owner;
    const nothing: Asked = { method: "GET", path: `/_matrix/client/v3/sync?timeout=0&since=${since}`, token };
    const path = `/_matrix/client/v3/rooms/${rooms[0]}/messages?dir=b&limit=100`;
    const messages: Asked = { method: "GET", path, token };
    return [
      median(
        `first sync, ${SYNCED_ROOMS} rooms of ${MEMBERS} members (floor: reading the events, writing the answer)`,
        first,
        3,
      ),
      median("sync with nothing new, p50", await latency(page, nothing), 1.2),
      median("page of 100 messages, p50", await latency(page, messages), 2),
    ];
  });
}

function windowFigures(url: string, say: (text: string) => void): Promise<Figure[]> {
  return inNewProfile(url, async (page) => {
    say(`making ${LISTED_ROOMS} rooms`);
    const owner = await page.evaluate(register, "alice");
    await page.evaluate(makeManyRooms, { owner, count: LISTED_ROOMS });
    await page.evaluate(rest, undefined);
    say("first window of sliding sync");
    const state = [
      ["m.room.create", ""],
      ["m.room.encryption", ""],
      ["m.room.member", "$LAZY"],
      ["m.room.member", "$ME"],
      ["m.room.power_levels", ""],
    ];
    const list = {
      ranges: [[0, 19]],
      timeline_limit: 1,
      required_state: state,
      filters: { not_room_types: ["m.space"] },
    };
    const body = { conn_id: "room-list", lists: { all_rooms: list } };
    const path = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0";
    const asked: Asked = { method: "POST", path, token: owner.token, body };
    const name = `first window of 20 among ${LISTED_ROOMS} rooms, p50`;
    return [median(name, await latency(page, asked), 3)];
  });
}

function searchFigures(url: string, say: (text: string) => void): Promise<Figure[]> {
  return inNewProfile(url, async (page) => {
    say(`sending ${SEARCHED_MESSAGES} messages`);
    const owner = await page.evaluate(register, "alice");
    const rooms = await page.evaluate(makeRooms, { owner, others: [], count: 20 });
    const sending = { account: owner, rooms, underWay: 32, prefix: "m" };
    await page.evaluate(sendMany, { ...sending, count: SEARCHED_MESSAGES });
    await page.evaluate(sayRareWords, { account: owner, rooms });
    await page.evaluate(rest, undefined);
    say("searching");
    const criteria = { search_term: "quinces", order_by: "recent" };
    const body = { search_categories: { room_events: criteria } };
    const asked: Asked = { method: "POST", path: "/_matrix/client/v3/search", token: owner.token, body };
    const name = `a search among ${SEARCHED_MESSAGES.toLocaleString("en")} messages, p50`;
    return [median(name, await latency(page, asked), 10)];
  });
}

/** Of requests that have been made before: what is used all the time has been compiled. */
async function latency(page: BenchPage, asked: Asked): Promise<Latencies> {
  await page.evaluate(requestLatency, { asked, count: 100 });
  return page.evaluate(requestLatency, { asked, count: 300 });
}

function median(name: string, { floor, measured }: Latencies, bound: number): Figure {
  const [ms, floorMs] = [quantile(measured, 0.5), quantile(floor, 0.5)];
  return { name, unit: "ms", measured: ms, floor: floorMs, ratio: ms / floorMs, kind: "most", bound };
}
