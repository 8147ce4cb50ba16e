import { describe, expect, test } from "vitest";
import { MatrixError } from "../../src/matrix/errors.ts";
import { createClientApi } from "../../src/sw/door.ts";
import { unlimited } from "../../src/sw/limits.ts";
import { syncEndpoints } from "../../src/sw/sync.ts";
import type { JsonBytes, Requester } from "../../src/worker-roomserver/node/requester.ts";
import type { SyncQuery } from "../../src/worker-roomserver/sync/api.ts";
import { asking } from "./support/ask.ts";
import { alice, nodeDouble } from "./support/node-double.ts";

const answer = new TextEncoder().encode('{"next_batch":"h1"}') as JsonBytes;

/** A promise and how to resolve it. */
function promised<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

type Call = { requester: Requester; query: SyncQuery; name: string };

/** A client of a node whose sync answers at once, and what that was asked. */
function client() {
  const calls: Call[] = [];
  const sync = async (requester: Requester, query: SyncQuery, name: string) => {
    calls.push({ requester, query, name });
    return answer;
  };
  const ask = asking({ node: nodeDouble({ sync: { sync } }), endpoints: syncEndpoints });
  return { calls, get: (query = "") => ask("GET", `/_matrix/client/v3/sync${query}`, { token: "alice" }) };
}

const plain: SyncQuery = {
  fullState: false,
  setPresence: "online",
  timeout: 0,
  stateSection: "state",
};

describe("the query", () => {
  test.each<[query: string, asked: Partial<SyncQuery>]>([
    ["", {}],
    ["?timeout=24999", { timeout: 24_999 }],
    ["?timeout=30000", { timeout: 25_000 }],
    [`?timeout=${"9".repeat(400)}`, { timeout: 25_000 }],
    ["?since=h5&filter=%7B%7D", { since: "h5", filter: "{}" }],
    ["?full_state=true", { fullState: true }],
    ["?full_state=false", { fullState: false }],
    ["?set_presence=offline", { setPresence: "offline" }],
    ["?use_state_after=true", { stateSection: "state_after" }],
    ["?use_state_after=false", { stateSection: "state" }],
    ["?org.matrix.msc4222.use_state_after=true", { stateSection: "org.matrix.msc4222.state_after" }],
    ["?org.matrix.msc4222.use_state_after=true&use_state_after=true", { stateSection: "state_after" }],
  ])("%s", async (query, asked) => {
    const { calls, get } = client();
    expect(await get(query)).toMatchObject({ status: 200, body: { next_batch: "h1" } });
    expect(calls).toEqual([
      { requester: alice, query: expect.objectContaining({ ...plain, ...asked }), name: expect.any(String) },
    ]);
  });

  test.each([
    "?timeout=-1",
    "?timeout=soon",
    "?full_state=yes",
    "?set_presence=asleep",
    "?use_state_after=1",
  ])("%s is refused", async (query) => {
    const { calls, get } = client();
    expect(await get(query)).toMatchObject({ status: 400, body: { errcode: "M_INVALID_PARAM" } });
    expect(calls).toEqual([]);
  });
});

test("each call has a name of its own", async () => {
  const { calls, get } = client();
  await Promise.all([get(), get()]);
  expect(new Set(calls.map(({ name }) => name)).size).toBe(2);
});

test("an error of the node is the answer", async () => {
  const sync = async () => {
    throw new MatrixError("M_INVALID_PARAM", 400, "No such filter.");
  };
  const ask = asking({ node: nodeDouble({ sync: { sync } }), endpoints: syncEndpoints });
  expect(await ask("GET", "/_matrix/client/r0/sync", { token: "alice" })).toMatchObject({
    status: 400,
    body: { errcode: "M_INVALID_PARAM", error: "No such filter." },
  });
});

describe("when the client goes away", () => {
  /** A sync that is answered when it is cancelled, and never else. */
  function waiting() {
    const cancelled: string[] = [];
    const started = promised<{ name: string; timeout: number }>();
    const ended = promised<JsonBytes>();
    const node = nodeDouble({
      sync: {
        sync: (_: Requester, { timeout }: SyncQuery, name: string) => {
          started.resolve({ name, timeout });
          return ended.promise;
        },
        cancel: async (name: string) => {
          cancelled.push(name);
          ended.resolve(answer);
        },
      },
    });
    const api = createClientApi({ node, endpoints: syncEndpoints, limiter: unlimited, scopePath: "/" });
    const request = (signal: AbortSignal) => {
      const headers = { Authorization: "Bearer alice" };
      const url = "https://home.example/_matrix/client/v3/sync?timeout=1000";
      return api(new Request(url, { signal, headers }), { source: "own" });
    };
    return { cancelled, started: started.promise, answerNow: () => ended.resolve(answer), request };
  }

  test("its wait is cancelled, by its name", async () => {
    const { cancelled, started, request } = waiting();
    const client = new AbortController();
    const response = request(client.signal);
    const { name } = await started;
    expect(cancelled).toEqual([]);
    client.abort();
    await response;
    expect(cancelled).toEqual([name]);
  });

  test("before the call, it does not wait", async () => {
    const { started, answerNow, request } = waiting();
    const response = request(AbortSignal.abort());
    expect((await started).timeout).toBe(0);
    answerNow();
    await response;
  });

  test("after the answer, nothing is cancelled", async () => {
    const { cancelled, started, answerNow, request } = waiting();
    const client = new AbortController();
    const response = request(client.signal);
    await started;
    answerNow();
    await response;
    client.abort();
    expect(cancelled).toEqual([]);
  });
});
