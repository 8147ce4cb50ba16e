import { expose } from "comlink";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { forbidden } from "../../src/matrix/errors.ts";
import { WorkerLink } from "../../src/sw/worker-link.ts";
import { prepareComlink } from "../../src/worker-roomserver/node/across-ports.ts";
import type { Node } from "../../src/worker-roomserver/node/api.ts";
import { CommitSuperseded, LeaderFenced } from "../../src/worker-roomserver/storage/errors.ts";
import { alice } from "./support/node-double.ts";

const patience = 4_000;
const pingAfter = 5_000;
const unavailable = { errcode: "M_UNKNOWN", status: 503, extra: { retry_after_ms: 1000 } };
const opened: MessagePort[] = [];

/** What any number of leaders share, as they share a database: which requests have been carried out. */
class Database {
  readonly rooms = new Map<string, string>();

  createRoom(request: string): { room_id: string } {
    const room = this.rooms.get(request) ?? `!${this.rooms.size + 1}`;
    this.rooms.set(request, room);
    return { room_id: room };
  }
}

type CreateRoom = (request: string) => Promise<{ room_id: string }>;

/** A tab that leads, and how it behaves. */
function leader(
  createRoom: CreateRoom,
  info: Node["info"] = async () => ({ serverName: "x", epoch: 1, roomVersion: "12" }),
) {
  const { port1, port2 } = new MessageChannel();
  opened.push(port1, port2);
  const received = vi.fn(createRoom);
  expose({ info, room: { createRoom: received } }, port1);
  return { port: port2, received, die: () => port1.close() };
}

const never = () => new Promise<never>(() => undefined);

function linked() {
  const askForPort = vi.fn();
  return { askForPort, link: new WorkerLink({ askForPort, patience, pingAfter }) };
}

const createRoom = (link: WorkerLink, request: string) => link.node.room.createRoom(request, alice, {});

beforeAll(prepareComlink);
// Messages between ports travel in real time; only what waits for seconds is under the tests' clock.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  vi.useRealTimers();
  for (const port of opened.splice(0)) port.close();
});

describe("with a leader", () => {
  test("calls, answers and errors pass", async () => {
    const { link, askForPort } = linked();
    const database = new Database();
    link.offer(leader(async (request) => database.createRoom(request)).port, 1);
    expect(await createRoom(link, "a")).toEqual({ room_id: "!1" });
    expect(await link.node.info()).toEqual({ serverName: "x", epoch: 1, roomVersion: "12" });
    expect(askForPort).not.toHaveBeenCalled();
    link.offer(leader(() => Promise.reject(forbidden("No."))).port, 2);
    await expect(createRoom(link, "b")).rejects.toMatchObject({ errcode: "M_FORBIDDEN", status: 403 });
  });

  test("a commit that was superseded is tried again with the same leader", async () => {
    const { link } = linked();
    const received = vi
      .fn<CreateRoom>()
      .mockRejectedValueOnce(new CommitSuperseded())
      .mockResolvedValueOnce({ room_id: "!1" });
    link.offer(leader(received).port, 1);
    expect(await createRoom(link, "a")).toEqual({ room_id: "!1" });
  });

  test("one that never succeeds ends, and says when to come back", async () => {
    const { link } = linked();
    link.offer(leader(() => Promise.reject(new CommitSuperseded())).port, 1);
    await expect(createRoom(link, "a")).rejects.toMatchObject(unavailable);
  });
});

describe("without a leader", () => {
  test("the tabs are asked once, and after a while the answer is 503", async () => {
    const { link, askForPort } = linked();
    const calls = Promise.allSettled([createRoom(link, "a"), createRoom(link, "b")]);
    await vi.advanceTimersByTimeAsync(patience - 1);
    expect(askForPort).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    const refusal = { status: "rejected", reason: unavailable };
    expect(await calls).toMatchObject([refusal, refusal]);
  });

  test("a call waits for the leader that comes in time", async () => {
    const { link } = linked();
    const database = new Database();
    const call = createRoom(link, "a");
    await vi.advanceTimersByTimeAsync(patience - 1);
    link.offer(leader(async (request) => database.createRoom(request)).port, 1);
    expect(await call).toEqual({ room_id: "!1" });
  });
});

describe("when the leader dies", () => {
  test.each(["before", "after"])("%s the commit, the next one answers, and it is done once", async (when) => {
    const { link, askForPort } = linked();
    const database = new Database();
    const first = leader((request) => {
      if (when === "after") database.createRoom(request);
      first.die();
      return never();
    });
    const second = leader(async (request) => database.createRoom(request));
    askForPort.mockImplementation(() => link.offer(second.port, 2));
    link.offer(first.port, 1);
    expect(await createRoom(link, "a")).toEqual({ room_id: "!1" });
    expect(first.received.mock.calls).toEqual(second.received.mock.calls);
    expect(database.rooms.size).toBe(1);
  });

  test("all calls under way move on", async () => {
    const { link, askForPort } = linked();
    const database = new Database();
    const first = leader(never);
    const calls = Promise.all(["a", "b", "c"].map((request) => createRoom(link, request)));
    link.offer(first.port, 1);
    await vi.waitFor(() => expect(first.received).toHaveBeenCalledTimes(3));
    askForPort.mockImplementation(() => {
      link.offer(leader(async (request) => database.createRoom(request)).port, 2);
    });
    first.die();
    expect(await calls).toHaveLength(3);
    expect([...database.rooms.keys()].sort()).toEqual(["a", "b", "c"]);
  });

  test("and no other comes, the answer is 503", async () => {
    const { link, askForPort } = linked();
    const first = leader(never);
    link.offer(first.port, 1);
    const call = Promise.allSettled([createRoom(link, "a")]);
    await vi.waitFor(() => expect(first.received).toHaveBeenCalled());
    first.die();
    await vi.waitFor(() => expect(askForPort).toHaveBeenCalled());
    await vi.advanceTimersByTimeAsync(patience);
    expect(await call).toMatchObject([{ reason: unavailable }]);
  });

  test("those who bring down every leader are given up", async () => {
    const { link, askForPort } = linked();
    let epoch = 1;
    const next = () => {
      const poisoned = leader(() => {
        poisoned.die();
        return never();
      });
      link.offer(poisoned.port, epoch++);
    };
    askForPort.mockImplementation(next);
    next();
    await expect(createRoom(link, "a")).rejects.toMatchObject(unavailable);
  });

  test("a new database may begin its epochs anew", async () => {
    const { link, askForPort } = linked();
    const first = leader(never);
    link.offer(first.port, 7);
    const call = createRoom(link, "a");
    await vi.waitFor(() => expect(first.received).toHaveBeenCalled());
    askForPort.mockImplementation(() => link.offer(leader(async () => ({ room_id: "!new" })).port, 1));
    first.die();
    expect(await call).toEqual({ room_id: "!new" });
  });
});

describe("epochs", () => {
  test("a higher one takes over, with the calls under way", async () => {
    const { link } = linked();
    const first = leader(never);
    link.offer(first.port, 1);
    const call = createRoom(link, "a");
    await vi.waitFor(() => expect(first.received).toHaveBeenCalled());
    link.offer(leader(async () => ({ room_id: "!second" })).port, 2);
    expect(await call).toEqual({ room_id: "!second" });
  });

  test("a lower one is not listened to", async () => {
    const { link } = linked();
    const old = leader(async () => ({ room_id: "!old" }));
    link.offer(leader(async () => ({ room_id: "!new" })).port, 2);
    link.offer(old.port, 1);
    expect(await createRoom(link, "a")).toEqual({ room_id: "!new" });
    expect(old.received).not.toHaveBeenCalled();
  });

  test("a fenced leader is left, and not taken back", async () => {
    const { link, askForPort } = linked();
    const fenced = leader(() => Promise.reject(new LeaderFenced()));
    const next = leader(async () => ({ room_id: "!next" }));
    askForPort.mockImplementation(() => {
      link.offer(leader(() => Promise.reject(new LeaderFenced())).port, 1); // it does not know yet
      link.offer(next.port, 2);
    });
    link.offer(fenced.port, 1);
    expect(await createRoom(link, "a")).toEqual({ room_id: "!next" });
    expect(fenced.received).toHaveBeenCalledTimes(1);
  });
});

describe("a leader that says nothing", () => {
  /** Lets the ports' messages through, which are no timers. */
  const turn = async () => {
    await vi.advanceTimersByTimeAsync(pingAfter);
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise((resolve) => port2.addEventListener("message", resolve, { once: true }));
    port2.start();
    port1.postMessage(0);
    await arrived;
    port1.close();
  };

  test("is given up when its tab does not speak for it either", async () => {
    const { link, askForPort } = linked();
    link.offer(leader(never, never).port, 1);
    const call = Promise.allSettled([createRoom(link, "a")]);
    await turn();
    expect(askForPort).not.toHaveBeenCalled();
    await turn();
    expect(askForPort).toHaveBeenCalledTimes(1);
    await turn();
    expect(askForPort).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(patience);
    expect(await call).toMatchObject([{ reason: unavailable }]);
  });

  test("is waited for as long as its tab does", async () => {
    const { link, askForPort } = linked();
    let finish = (_: { room_id: string }): void => undefined;
    const slow = leader(() => new Promise((resolve) => (finish = resolve)), never);
    askForPort.mockImplementation(() => link.offer(leader(never).port, 1));
    link.offer(slow.port, 1);
    const call = createRoom(link, "a");
    for (let turns = 0; turns < 10; turns++) await turn();
    finish({ room_id: "!slow" });
    expect(await call).toEqual({ room_id: "!slow" });
    expect(slow.received).toHaveBeenCalledTimes(1);
  });

  test("about one request but answers pings is waited for, and nobody is asked", async () => {
    const { link, askForPort } = linked();
    let finish = (_: { room_id: string }): void => undefined;
    link.offer(leader(() => new Promise((resolve) => (finish = resolve))).port, 1);
    const call = createRoom(link, "a");
    for (let turns = 0; turns < 10; turns++) await turn();
    finish({ room_id: "!slow" });
    expect(await call).toEqual({ room_id: "!slow" });
    expect(askForPort).not.toHaveBeenCalled();
  });
});
