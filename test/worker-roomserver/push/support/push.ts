import { onTestFinished } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { openAccountData } from "../../../../src/worker-roomserver/account-data/open.ts";
import type {
  Egress,
  EgressAnswer,
  EgressRequest,
  EgressTarget,
} from "../../../../src/worker-roomserver/egress/api.ts";
import type { UnreadCounts } from "../../../../src/worker-roomserver/push/api.ts";
import { openPush } from "../../../../src/worker-roomserver/push/open.ts";
import { openReceipts } from "../../../../src/worker-roomserver/receipts/open.ts";
import { outsideJson } from "../../support/egress.ts";
import { testRooms } from "../../support/room.ts";

type Action = "join" | "leave" | "invite" | "kick";

/** What tests decide of a server's surroundings. */
export type PushWorld = {
  clock: Clock;
  /** What is asked of servers outside. */
  egress: Egress;
};

/** A clock that stands still until it is moved. */
export class Clock {
  /** Milliseconds since 1970. */
  now = 1_700_000_000_000;
  readonly #waiting = new Set<{ at: number; call: () => void }>();

  /** How many wait for a time to come. */
  get waiting(): number {
    return this.#waiting.size;
  }

  readonly later = (ms: number, call: () => void): (() => void) => {
    const one = { at: this.now + ms, call };
    this.#waiting.add(one);
    return () => this.#waiting.delete(one);
  };

  /** So much time passes, for whoever waits for it too. */
  pass(ms: number): void {
    this.now += ms;
    for (const one of [...this.#waiting]) {
      if (one.at > this.now) continue;
      this.#waiting.delete(one);
      one.call();
    }
  }
}

const nowhere = (): PushWorld => ({
  clock: new Clock(),
  egress: { fetch: ({ url }) => Promise.reject(new Error(`${url} was not expected to be asked`)) },
});

/** A room server with the components that counts come from; `name`: the database of an earlier one. */
export async function openPushTest(name?: string, world: PushWorld = nowhere()) {
  const t = await testRooms(name);
  const { storage, rooms: room, serverName } = t;
  const accountData = openAccountData({ storage });
  const receipts = openReceipts({ storage, room, now: () => Date.now() });
  /** Devices that have been removed, as `[user, device]` in JSON. */
  const removed = new Set<string>();
  const push = openPush({
    storage,
    answers: t.parts.answers,
    room,
    receipts,
    accountData,
    devices: {
      whileDevice: ({ userId, deviceId }, task) =>
        removed.has(JSON.stringify([userId, deviceId]))
          ? Promise.reject(new Error("no such device"))
          : task(),
      whileLoggedIn: (_, task) => task(),
    },
    egress: world.egress,
    serverName,
    now: () => world.clock.now,
    later: world.clock.later,
    random: () => 0,
  });
  onTestFinished(() => push.close());
  const send = async (who: string, roomId: string, content: JsonObject = {}, type = "m.room.message") => {
    const event = {
      roomId,
      type,
      txnId: crypto.randomUUID(),
      content: { body: "hi", msgtype: "m.text", ...content },
    };
    return (await room.sendEvent(t.user(who), event)).event_id;
  };
  const redact = (who: string, roomId: string, eventId: string) =>
    room.redact(t.user(who), { roomId, eventId, txnId: crypto.randomUUID(), content: {} });
  const act = (who: string, action: Action, roomId: string, target = who) =>
    room.changeMembership(t.request(), t.user(who), { roomId, action, target: t.user(target).userId });
  /** A room of these users, the first of whom made it; nobody has said anything yet. */
  const roomOf = async (...who: string[]) => {
    const [first = "", ...others] = who;
    const invite = others.map((user) => t.user(user).userId);
    const { room_id } = await room.createRoom(t.request(), t.user(first), { preset: "private_chat", invite });
    for (const user of others) await act(user, "join", room_id);
    return room_id;
  };
  const read = (who: string, roomId: string, eventId: string, threadId?: string, isPrivate = false) =>
    receipts.set(t.user(who), [{ roomId, type: isPrivate ? "m.read.private" : "m.read", eventId, threadId }]);
  const counts = async (who: string, roomId: string): Promise<UnreadCounts> => {
    await push.caughtUp(storage.position);
    return push.counts(t.user(who).userId, (await room.nid(roomId))!);
  };
  return { ...t, world, removed, accountData, receipts, push, send, redact, act, roomOf, read, counts };
}

export type PushTest = Awaited<ReturnType<typeof openPushTest>>;

export const unread = (
  notification_count: number,
  highlight_count = 0,
  threads: UnreadCounts["threads"] = {},
): UnreadCounts => ({ notification_count, highlight_count, threads });

export const inThread = (root: string): JsonObject => ({
  "m.relates_to": { rel_type: "m.thread", event_id: root },
});

/** A push gateway: what it has been asked, and what it answers next, 200 where nothing else is said. */
export class GatewayDouble {
  readonly asked: { url: string; notification: JsonObject }[] = [];
  /** A number: that status. A promise: as soon as it is fulfilled. */
  next: (number | JsonObject | Promise<void>)[] = [];

  readonly egress: Egress = { fetch: (target, request) => this.#answer(target, request) };

  async #answer({ url }: EgressTarget, { body }: EgressRequest): Promise<EgressAnswer> {
    this.asked.push({ url, notification: (JSON.parse(body!) as { notification: JsonObject }).notification });
    const next = this.next.shift() ?? {};
    if (next instanceof Promise) await next;
    const status = typeof next === "number" ? next : 200;
    const answer = typeof next === "number" || next instanceof Promise ? {} : next;
    return outsideJson(answer, status);
  }

  /** Ids of the events that it was told of, null for a count alone. */
  get events(): (JsonObject[string] | null)[] {
    return this.asked.map(({ notification }) => notification.event_id ?? null);
  }
}
