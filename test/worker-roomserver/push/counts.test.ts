import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { UnreadCounts } from "../../../src/worker-roomserver/push/api.ts";
import { failCommit } from "../support/rounds.ts";
import { inThread, openPushTest as open, type PushTest, unread } from "./support/push.ts";

type Said = "message" | "mention" | "edit" | "reaction" | "notice";
type Receipt = "m.read" | "m.read.private" | "m.fully_read";
type Rule = "muted" | "master";
type Step =
  | { kind: "say"; who: string; what: Said; isInThread: boolean; pick: number }
  | { kind: "read"; who: string; pick: number; isThreaded: boolean; type: Receipt }
  | { kind: "redact"; pick: number }
  | { kind: "rule"; who: string; rule: Rule; isOn: boolean }
  | { kind: "restart" }
  | { kind: "rollback" };

const who = fc.constantFrom("alice", "bob");
const what = fc.constantFrom<Said>("message", "message", "mention", "edit", "reaction", "notice");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("say"), who, what, isInThread: fc.boolean(), pick: fc.nat() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("read"),
      who,
      pick: fc.nat(),
      isThreaded: fc.boolean(),
      type: fc.constantFrom<Receipt>("m.read", "m.read.private", "m.fully_read"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("redact"), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("rule"),
      who,
      rule: fc.constantFrom<Rule>("muted", "master"),
      isOn: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: "restart" }, { kind: "rollback" }) },
);

test("counts are those of a naive recount, whatever is said, taken back, read, ruled, lost and restarted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 16 }), async (steps) => {
      let t = await open();
      const roomId = await t.roomOf("alice", "bob", "carol");
      const naive = new NaiveCounts();
      const root = await t.send("alice", roomId);
      naive.said("alice", { eventId: root, thread: "main", what: "message" });
      for (const one of steps) {
        if (one.kind === "restart") {
          t.push.close();
          t = await open(t.storage.name);
        } else if (one.kind === "rollback") await failCommit(t.storage);
        else await take(t, roomId, root, naive, one);
      }
      for (const user of ["alice", "bob"]) {
        const counts = naive.counts(user);
        expect(await t.counts(user, roomId)).toEqual(counts);
        const { notifications } = await t.push.notifications(t.user(user), {
          limit: 100,
          onlyHighlights: false,
        });
        const messages = notifications.filter(({ event }) => event.type !== "m.room.member");
        expect(messages.map(({ event, read }) => [event.event_id, read])).toEqual(naive.listed(user));
      }
      t.push.close();
    }),
    { numRuns: 15 },
  );
});

type Doing = Exclude<Step, { kind: "restart" | "rollback" }>;

async function take(
  t: PushTest,
  roomId: string,
  root: string,
  naive: NaiveCounts,
  step: Doing,
): Promise<void> {
  switch (step.kind) {
    case "say": {
      const { what } = step;
      if (what === "edit" || what === "reaction") {
        const target = naive.at(step.pick);
        const content = relating(what, target.eventId, naive.length);
        const type = what === "edit" ? "m.room.message" : "m.reaction";
        const eventId = await t.send(step.who, roomId, content, type);
        // What was redacted does not say any more that it was in a thread.
        naive.said(step.who, { eventId, thread: target.isRedacted ? "main" : target.thread, what });
        return;
      }
      const content = { ...(step.isInThread && inThread(root)), ...saying(t, what) };
      const eventId = await t.send(step.who, roomId, content);
      naive.said(step.who, { eventId, thread: step.isInThread ? root : "main", what });
      return;
    }
    case "read": {
      const { eventId, thread, isOfItself } = naive.at(step.pick);
      const threadId = step.isThreaded && isOfItself && step.type !== "m.fully_read" ? thread : undefined;
      await t.receipts.set(t.user(step.who), [{ roomId, type: step.type, eventId, threadId }]);
      if (step.type !== "m.fully_read") naive.read(step.who, eventId, threadId);
      return;
    }
    case "redact": {
      const target = naive.at(step.pick);
      // The thread of what came before is told by what it was then.
      await settled(t);
      await t.redact(target.sender, roomId, target.eventId);
      naive.redacted(target.sender, target.eventId);
      return;
    }
    case "rule": {
      // What came before is judged by the rules of then.
      await settled(t);
      const user = t.user(step.who);
      if (step.rule === "master") {
        await t.push.changeRule(user, "override", ".m.rule.master", { enabled: step.isOn });
      } else {
        await t.push.setRule(user, "room", roomId, { actions: [] }, {});
        await t.push.changeRule(user, "room", roomId, { enabled: step.isOn });
      }
      naive.ruled(step.who, step.rule, step.isOn);
    }
  }
}

/** All that was said has been judged for good: what a crash undoes of that is judged by the rules of a later day. */
const settled = (t: PushTest) => t.push.notifications(t.user("bob"), { limit: 1, onlyHighlights: false });

/** Each with a key of its own: the same annotation twice would be refused. */
const relating = (what: "edit" | "reaction", event_id: string, nth: number): JsonObject => ({
  "m.relates_to": { rel_type: what === "edit" ? "m.replace" : "m.annotation", event_id, key: `${nth}` },
});

const saying = (t: PushTest, what: Said): JsonObject => {
  if (what === "notice") return { msgtype: "m.notice" };
  const user_ids = ["alice", "bob"].map((user) => t.user(user).userId);
  return what === "mention" ? { "m.mentions": { user_ids } } : {};
};

type NaiveEvent = {
  eventId: string;
  sender: string;
  thread: string;
  what: Said;
  /** Nothing else says which thread it is in. */
  isOfItself: boolean;
  isRedacted: boolean;
  /** Whom it was to be told to. */
  told: string[];
};

/** Keeps everything, and counts anew each time. */
class NaiveCounts {
  readonly #events: NaiveEvent[] = [];
  readonly #marks: { user: string; upTo: number; thread: string | undefined }[] = [];
  readonly #rules = new Set<string>();

  said(sender: string, event: { eventId: string; thread: string; what: Said }): void {
    const told = ["alice", "bob"].filter((user) => user !== sender && this.#tells(user, event.what));
    const isOfItself = event.what !== "edit" && event.what !== "reaction";
    this.#events.push({ ...event, sender, isOfItself, isRedacted: false, told });
    this.#marks.push({ user: sender, upTo: this.#events.length - 1, thread: event.thread });
  }

  get length(): number {
    return this.#events.length;
  }

  at(pick: number): NaiveEvent {
    const events = this.#events.filter((event) => !event.isRedacted);
    return events[pick % events.length] ?? this.#events[0]!;
  }

  read(user: string, eventId: string, thread: string | undefined): void {
    const upTo = this.#events.findIndex((event) => event.eventId === eventId);
    this.#marks.push({ user, upTo, thread });
  }

  /** Who takes something back has said something, too. */
  redacted(sender: string, eventId: string): void {
    for (const event of this.#events) if (event.eventId === eventId) event.isRedacted = true;
    this.#marks.push({ user: sender, upTo: this.#events.length - 1, thread: "main" });
  }

  ruled(user: string, rule: Rule, isOn: boolean): void {
    if (isOn) this.#rules.add(`${user} ${rule}`);
    else this.#rules.delete(`${user} ${rule}`);
  }

  counts(user: string): UnreadCounts {
    const threads: UnreadCounts["threads"] = {};
    const main = { notification_count: 0, highlight_count: 0 };
    for (const event of this.#left(user)) {
      const isMain = event.thread === "main";
      const counts = isMain ? main : (threads[event.thread] ?? { notification_count: 0, highlight_count: 0 });
      if (!isMain) threads[event.thread] = counts;
      counts.notification_count += 1;
      counts.highlight_count += event.what === "mention" ? 1 : 0;
    }
    return unread(main.notification_count, main.highlight_count, threads);
  }

  /** Ids of what the user was told of, the newest first, and whether it has been read. */
  listed(user: string): [string, boolean][] {
    const left = new Set(this.#left(user));
    const told = this.#events.filter((event) => event.told.includes(user) && !event.isRedacted);
    return told.map((event): [string, boolean] => [event.eventId, !left.has(event)]).reverse();
  }

  #left(user: string): NaiveEvent[] {
    const marks = this.#marks.filter((mark) => mark.user === user);
    const isRead = (i: number, thread: string) =>
      marks.some((mark) => mark.upTo >= i && (mark.thread === undefined || mark.thread === thread));
    return this.#events.filter(
      (event, i) => event.told.includes(user) && !event.isRedacted && !isRead(i, event.thread),
    );
  }

  /** Mentions go before the room's rule, and the master rule before all. */
  #tells(user: string, what: Said): boolean {
    if (this.#rules.has(`${user} master`)) return false;
    if (what === "mention") return true;
    return what === "message" && !this.#rules.has(`${user} muted`);
  }
}
