import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  call,
  followSync,
  type Login,
  type Report,
  type WriteOrder,
  writeOn,
} from "./support/client-in-page.ts";
import { Journal } from "./support/journal.ts";
import { seededRandom } from "./support/random.ts";
import { type Blow, planOf, Siege } from "./support/siege.ts";
import { watchBrowser } from "./support/watch-browser.ts";

const random = seededRandom();

/** What happens to the homeserver, and how often. */
const blows: Record<Blow, number> = {
  "the browser is killed": 2,
  "the browser is killed while the homeserver starts": 1,
  "the leading tab is closed": 2,
  "the leading tab crashes": 1,
  "the service worker is stopped": 3,
};

const EVENTS = 60;
const v3 = "client/v3";
type Writer = Pick<WriteOrder, "method" | "path" | "body" | "items" | "isBytes"> & { by: "alice" | "bob" };
type Work = string;

describe(`whatever is acknowledged survives whatever happens (HEARTH_SEED=${random.seed})`, () => {
  const url = inject("distUrl");
  const base = url.replace(/\/$/, "");
  const journal = new Journal();
  const logins = {} as Record<"alice" | "bob", Login & { userId: string; deviceId: string }>;
  let writers = {} as Record<string, Writer>;
  /** The last number that each has asked for. */
  const asked = new Map<string, number>();
  let room = "";
  let stops = false;

  const goOn = (report: Report): boolean => {
    journal.add(report);
    if (report.kind === "synced") return !stops || received().length < answersOf("messages").length;
    if (report.kind !== "asks") return true;
    // What has been begun is carried through: all that was asked for is then known to be done.
    const isBegun = asked.get(report.sender) === report.number;
    if (isBegun || !stops) asked.set(report.sender, report.number);
    return isBegun || !stops;
  };
  const received = () => journal.followed.get("bob")?.toDevice.map(({ content }) => content.n) ?? [];
  /** What was answered to each request of a writer, in their order. */
  const answersOf = (sender: string) => [...(journal.acknowledged.get(sender)?.values() ?? [])];
  const parsed = <T>(sender: string) => answersOf(sender).map((answer) => JSON.parse(answer) as T);

  const NAMES = ["messages", "keys", "claims", "backup", "media", "rules", "receipts", "data"] as const;
  const start = (page: Page, work: Work): Promise<void> => {
    if (work === "bob follows") {
      const since = journal.followed.get("bob")?.since;
      return page.evaluate(followSync, { ...logins.bob, observer: "bob", since });
    }
    const { by, ...writer } = writers[work]!;
    const name = NAMES.indexOf(work as (typeof NAMES)[number])
      .toString(16)
      .padStart(4, "0");
    const from = answersOf(work).length;
    return page.evaluate(writeOn, { ...logins[by], ...writer, sender: work, name, from });
  };
  const siege = new Siege<Work>({
    url,
    shifts: [[...NAMES.slice(0, 4)], [...NAMES.slice(4), "bob follows"]],
    start,
    goOn,
    state: () => journal.state(),
  });

  beforeAll(() => siege.begin());
  afterAll(() => siege.end());

  const asking = (page: Page) => (who: "alice" | "bob", method: string, path: string, body?: unknown) =>
    page.evaluate(call, { ...logins[who], method, path, body }) as Promise<Record<string, unknown>>;

  test("all kinds of things are written while tabs, service worker and browser are killed", {
    timeout: 240_000,
  }, async () => {
    const setUp = await siege.openTab();
    const ask = asking(setUp.page);
    for (const username of ["alice", "bob"] as const) {
      const body = { username, password: `the password of ${username}`, auth: { type: "m.login.dummy" } };
      const answer = await setUp.page.evaluate(call, { base, method: "POST", path: "register", body });
      const { access_token: token, user_id: userId, device_id: deviceId } = answer as Record<string, string>;
      logins[username] = { base, token: token!, userId: userId!, deviceId: deviceId! };
    }
    room = String((await ask("alice", "POST", "createRoom", {})).room_id);
    const events: string[] = [];
    for (let i = 0; i < EVENTS; i++) {
      const path = `rooms/${encodeURIComponent(room)}/send/m.room.message/${i}`;
      events.push(String((await ask("alice", "PUT", path, { msgtype: "m.text", body: `${i}` })).event_id));
    }
    const { version } = await ask("alice", "POST", "room_keys/version", {
      algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
      auth_data: { public_key: "x" },
    });
    await setUp.page.close();

    const { alice, bob } = logins;
    const session = {
      first_message_index: 0,
      forwarded_count: 0,
      is_verified: true,
      session_data: { n: "{n}" },
    };
    writers = {
      messages: {
        by: "alice",
        method: "PUT",
        path: `${v3}/sendToDevice/m.x/{n}`,
        body: { messages: { [bob.userId]: { [bob.deviceId]: { n: "{n}" } } } },
      },
      keys: {
        by: "bob",
        method: "POST",
        path: `${v3}/keys/upload`,
        body: { one_time_keys: { "signed_curve25519:K{n}": { key: "key {n}", signatures: {} } } },
      },
      claims: {
        by: "alice",
        method: "POST",
        path: `${v3}/keys/claim`,
        body: { one_time_keys: { [bob.userId]: { [bob.deviceId]: "signed_curve25519" } } },
      },
      backup: {
        by: "alice",
        method: "PUT",
        path: `${v3}/room_keys/keys/${encodeURIComponent(room)}/session{n}?version=${String(version)}`,
        body: session,
      },
      media: { by: "alice", method: "POST", path: "media/v3/upload", body: {}, isBytes: true },
      rules: {
        by: "bob",
        method: "PUT",
        path: `${v3}/pushrules/global/content/rule{n}`,
        body: { pattern: "word{n}", actions: ["notify"] },
      },
      receipts: {
        by: "alice",
        method: "POST",
        path: `${v3}/rooms/${encodeURIComponent(room)}/receipt/m.read/{item}`,
        items: events.map((id) => encodeURIComponent(id)),
        body: {},
      },
      data: {
        by: "alice",
        method: "PUT",
        path: `${v3}/user/${encodeURIComponent(alice.userId)}/account_data/m.x`,
        body: { n: "{n}" },
      },
    };

    await siege.openTabs();
    for (const blow of planOf(random, blows)) {
      const kind = random.between(1, 4) === 1 ? "asks" : "acknowledged";
      await siege.within(60, `reports before "${blow}"`, journal.more(random.between(0, 60), kind));
      await siege.strike(blow);
    }
    await siege.within(60, "reports at the end", journal.more(60, "acknowledged"));
    expect(siege.done).toEqual(blows);
    stops = true;
    await siege.within(
      60,
      "the end of writing",
      siege.finished((work) => work !== "bob follows"),
    );
    // Something has to come for who follows to be told that it is over.
    await asking(siege.tabs[0]!.page)(
      "bob",
      "PUT",
      `user/${encodeURIComponent(bob.userId)}/account_data/m.end`,
      {},
    );
    await siege.within(
      60,
      "the end of following",
      siege.finished((work) => work === "bob follows"),
    );
    expect(siege.surprises).toEqual([]);
    expect(journal.contradictions).toEqual([]);
    expect([...journal.refusals.keys()].filter((status) => status !== 0 && status !== 503)).toEqual([]);
    for (const name of NAMES) expect(answersOf(name).length, name).toBe((asked.get(name) ?? -1) + 1);
    for (const name of NAMES) expect(answersOf(name).length, name).toBeGreaterThan(0);
  });

  describe("afterwards", () => {
    let page: Page;
    let ask: ReturnType<typeof asking>;
    let errors: readonly string[];
    beforeAll(async () => {
      await siege.chromium.close();
      await siege.launch();
      ({ errors } = watchBrowser(siege.chromium.context, url));
      ({ page } = await siege.openTab());
      ask = asking(page);
    });
    const upTo = (sender: string) => answersOf(sender).map((_, n) => n);

    test("each message has come to its device once, in order", () => {
      expect(received().map(Number)).toEqual(upTo("messages"));
    });

    test("no key was given out twice, and none is lost", async () => {
      type Claim = { one_time_keys: Record<string, Record<string, Record<string, { key: string }>>> };
      const { userId, deviceId } = logins.bob;
      const claimed = parsed<Claim>("claims").flatMap(({ one_time_keys }) =>
        Object.keys(one_time_keys[userId]?.[deviceId] ?? {}),
      );
      const left: string[] = [];
      for (;;) {
        const wanted = { one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } } };
        const answer = (await ask("alice", "POST", "keys/claim", wanted)) as Claim;
        const names = Object.keys(answer.one_time_keys[userId]?.[deviceId] ?? {});
        if (names.length === 0) break;
        left.push(...names);
      }
      // In the order in which they were uploaded.
      expect([...claimed, ...left]).toEqual(upTo("keys").map((n) => `signed_curve25519:K${n}`));
    });

    test("the backup has each session, and its count and etag agree", async () => {
      const { count, etag, version } = await ask("alice", "GET", "room_keys/version");
      const last = parsed<{ count: number; etag: string }>("backup").at(-1);
      expect({ count, etag }).toEqual(last);
      const { rooms } = (await ask("alice", "GET", `room_keys/keys?version=${String(version)}`)) as {
        rooms: Record<string, { sessions: Record<string, { session_data: { n: string } }> }>;
      };
      const { sessions } = rooms[room]!;
      expect(Object.keys(sessions)).toHaveLength(Number(count));
      const wanted = upTo("backup").map((n) => [`session${n}`, String(n)]);
      expect(
        Object.fromEntries(Object.entries(sessions).map(([id, { session_data }]) => [id, session_data.n])),
      ).toEqual(Object.fromEntries(wanted));
    });

    test("each upload can be downloaded whole", async () => {
      const uris = parsed<{ content_uri: string }>("media").map(({ content_uri }) => content_uri);
      expect(new Set(uris).size).toBe(uris.length);
      const broken = await page.evaluate(
        async ({ uris, base, token }) => {
          const found: string[] = [];
          for (const [number, uri] of uris.entries()) {
            const path = uri.replace("mxc://", "/_matrix/client/v1/media/download/");
            const response = await fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
            const bytes = new Uint8Array(await response.arrayBuffer());
            const isWhole =
              response.ok &&
              bytes.length === 1 + ((number * 7_919) % 200_000) &&
              bytes.every((byte, i) => byte === ((number + i) & 255));
            if (!isWhole) found.push(`${number} ${uri}: ${response.status}, ${bytes.length} bytes`);
          }
          return found;
        },
        { uris, ...logins.bob },
      );
      expect(broken).toEqual([]);
    });

    test("push rules, the receipt and account data are as they were left", async () => {
      const { global } = (await ask("bob", "GET", "pushrules/")) as {
        global: { content: { rule_id: string; pattern: string }[] };
      };
      const own = global.content.filter(({ rule_id }) => rule_id.startsWith("rule"));
      // The newest comes first.
      expect(own.map(({ pattern }) => pattern)).toEqual(
        upTo("rules")
          .reverse()
          .map((n) => `word${n}`),
      );
      const data = await ask(
        "alice",
        "GET",
        `user/${encodeURIComponent(logins.alice.userId)}/account_data/m.x`,
      );
      expect(data).toEqual({ n: String(answersOf("data").length - 1) });
      const { rooms } = (await ask("alice", "GET", "sync")) as {
        rooms: { join: Record<string, { ephemeral: { events: { type: string; content: object }[] } }> };
      };
      const receipts = rooms.join[room]!.ephemeral.events.find(({ type }) => type === "m.receipt")!;
      const last = decodeURIComponent(writers.receipts!.items![answersOf("receipts").length - 1]!);
      expect(Object.keys(receipts.content)).toEqual([last]);
      expect(errors).toEqual([]);
    });
  });
});
