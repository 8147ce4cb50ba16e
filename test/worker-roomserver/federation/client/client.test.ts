import { beforeEach, describe, expect, test, vi } from "vitest";
import { readBody } from "../../../../src/link/bodies.ts";
import type { EgressAnswer, EgressFailure } from "../../../../src/worker-roomserver/egress/api.ts";
import { FederationError, type FederationRequest } from "../../../../src/worker-roomserver/federation/api.ts";
import { SigningClient } from "../../../../src/worker-roomserver/federation/client/client.ts";
import { clientError } from "../../../../src/worker-roomserver/federation/client/client-error.ts";
import { StoredDestinations } from "../../../../src/worker-roomserver/federation/destinations/destinations.ts";
import { testStorage } from "../../support/storage.ts";
import {
  endlessAnswer,
  hugeAnswer,
  neverAnswers,
  rawAnswer,
  stallingAnswer,
} from "../support/misbehaviour.ts";
import { TestNetwork } from "../support/network.ts";
import { Peer } from "../support/peer.ts";
import { testTimers } from "../support/timers.ts";

const PROFILE = "/_matrix/federation/v1/query/profile";
const request = (more: Partial<FederationRequest> = {}): FederationRequest => ({
  ...{ method: "GET", destination: "peer.example", uri: `${PROFILE}?user_id=%40a%3Apeer.example` },
  ...more,
});

let network: TestNetwork;
let me: Peer;
let peer: Peer;
beforeEach(async () => {
  network = new TestNetwork();
  me = await Peer.open(network, "me.example");
  peer = await Peer.open(network, "peer.example");
  peer.profiles.set("@a:peer.example", { displayname: "A" });
});

async function client(egress = network.egress(() => "me.example")) {
  const timers = testTimers(Date.now());
  const destinations = new StoredDestinations({ ...timers, storage: await testStorage(), random: () => 0.5 });
  const made = new SigningClient({
    ...{ serverName: "me.example", key: me.keys.current, egress, destinations, now: timers.now },
    // Who waits finds that the time has passed.
    later: (ms, call) => {
      timers.pass(ms);
      queueMicrotask(call);
      return () => undefined;
    },
  });
  return { client: made, destinations, timers };
}

const failureOf = async (promise: Promise<unknown>): Promise<FederationError> => {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof FederationError)) throw new Error(`not a FederationError: ${String(error)}`);
  return error;
};

describe("requests to other servers", () => {
  test("are signed, so that the other server takes them, and give what it answers", async () => {
    const { client: asking, destinations } = await client();
    const { json, text, status } = await asking.request(request());
    expect({ json, text, status }).toEqual({
      ...{ json: { displayname: "A" }, text: '{"displayname":"A"}', status: 200 },
    });
    await asking.request(
      request({ method: "PUT", uri: "/_matrix/federation/v1/send/t%2F1", content: { pdus: [], é: "ü😀" } }),
    );
    expect(peer.transactions).toMatchObject([{ transactionId: "t/1", body: { é: "ü😀" } }]);
    expect((await destinations.state("peer.example")).lastSuccess).toBeGreaterThan(0);
  });

  test.each<[string, () => ReturnType<typeof rawAnswer>, Partial<FederationRequest>, object, number]>([
    [
      "a refusal",
      () => rawAnswer('{"errcode":"M_FORBIDDEN"}', 403),
      {},
      { failure: "answered", status: 403 },
      0,
    ],
    ["that it is not known", () => rawAnswer("<html>", 404), {}, { failure: "answered", status: 404 }, 0],
    ["that it is not believed", () => rawAnswer("{}", 401), {}, { failure: "answered", status: 401 }, 1],
    ["that it is too much", () => rawAnswer("{}", 429), {}, { failure: "answered", status: 429 }, 0],
    ["an error of its own", () => rawAnswer("{}", 502), {}, { failure: "answered", status: 502 }, 1],
    [
      "that a file is too large for it",
      () => rawAnswer('{"errcode":"M_TOO_LARGE"}', 502),
      {},
      { failure: "answered", status: 502 },
      0,
    ],
    [
      "that a file is not there yet",
      () => rawAnswer('{"errcode":"M_NOT_YET_UPLOADED"}', 504),
      {},
      { failure: "answered", status: 504 },
      0,
    ],
    [
      "another error with the status of such a file's",
      () => rawAnswer('{"errcode":"M_UNKNOWN"}', 504),
      {},
      { failure: "answered", status: 504 },
      1,
    ],
    ["no JSON", () => rawAnswer("{"), {}, { failure: "invalid" }, 1],
    ["nothing", () => rawAnswer(""), {}, { failure: "invalid" }, 1],
    ["no text", () => rawAnswer(Uint8Array.of(0x22, 0xc3, 0x22)), {}, { failure: "invalid" }, 1],
    ["ten megabytes", () => hugeAnswer(10_485_761), {}, { failure: "tooLarge" }, 0],
    ["without end", endlessAnswer, { maxBytes: 100_000 }, { failure: "tooLarge" }, 0],
    ["half of it", stallingAnswer, { timeoutMs: 50 }, { failure: "timeout" }, 1],
    ["an endless refusal", () => ({ ...endlessAnswer(), status: 400 }), {}, { failure: "answered" }, 0],
  ])("a server that answers %s", async (_, answer, more, expected, failures) => {
    const { client: asking, destinations } = await client();
    peer.override("GET", PROFILE, answer);
    const error = await failureOf(asking.request(request(more)));
    expect(error).toMatchObject({ ...expected, destination: "peer.example", isOurs: false });
    expect((await destinations.state("peer.example")).failures).toBe(failures);
  });

  test("an error of Matrix is a sign of life, and any other says nothing of a server", async () => {
    const { client: asking, destinations } = await client();
    destinations.failed("peer.example", "It was away.");
    peer.override("GET", PROFILE, () => rawAnswer("<html>", 404));
    await failureOf(asking.request(request({ evenBackedOff: "yes" })));
    await vi.waitFor(async () => expect((await destinations.state("peer.example")).failures).toBe(1));
    peer.override("GET", PROFILE, () => rawAnswer('{"errcode":"M_NOT_FOUND"}', 404));
    await failureOf(asking.request(request({ evenBackedOff: "yes" })));
    expect((await destinations.state("peer.example")).failures).toBe(0);
  });

  test("a large answer is parsed for who wants that, and once", async () => {
    const { client: asking, destinations } = await client();
    const large = (end: string) => `{"a":["${"x".repeat(2_000_000)}"${end}`;
    const ask = async (body: string) => {
      peer.override("GET", PROFILE, () => rawAnswer(body));
      return asking.request(request({ evenBackedOff: "yes" }));
    };
    const answer = await ask(large("]}"));
    const parse = vi.spyOn(JSON, "parse");
    expect(answer.text).toHaveLength(2_000_010);
    expect(parse).not.toHaveBeenCalled();
    expect(Object.keys(answer.json as object)).toEqual(["a"]);
    expect(answer.json).toBe(answer.json);
    expect(parse).toHaveBeenCalledOnce();
    parse.mockRestore();
    const odd = await ask(large("}}"));
    expect(() => odd.json).toThrow(FederationError);
    expect((await destinations.state("peer.example")).failures).toBe(0);
    // One that has been cut off is none.
    expect(await failureOf(ask(large("")))).toMatchObject({ failure: "invalid" });
    expect((await destinations.state("peer.example")).failures).toBe(1);
  });

  test("an error of Matrix is kept, and nothing that is none", async () => {
    const { client: asking } = await client();
    const body = { errcode: "M_INCOMPATIBLE_ROOM_VERSION", error: "no", room_version: "3" };
    peer.override("GET", PROFILE, () => rawAnswer(JSON.stringify(body), 400));
    expect((await failureOf(asking.request(request()))).error).toEqual(body);
    peer.override("GET", PROFILE, () => rawAnswer('{"errcode":7}', 400));
    expect((await failureOf(asking.request(request()))).error).toBeUndefined();
  });

  test("are not made to a server that has just not answered, unless somebody waits for it", async () => {
    const { client: asking, timers } = await client();
    network.setDown("peer.example", true);
    expect((await failureOf(asking.request(request()))).failure).toBe("unreachable");
    network.setDown("peer.example", false);
    expect((await failureOf(asking.request(request()))).failure).toBe("backingOff");
    expect((await failureOf(asking.stream(request()))).failure).toBe("backingOff");
    expect(network.carried).toEqual([]);
    timers.pass(60_000);
    await asking.request(request());
    network.setDown("peer.example", true);
    await failureOf(asking.request(request()));
    network.setDown("peer.example", false);
    await asking.request(request({ evenBackedOff: "yes" }));
    await asking.request(request());
  });

  test("that have no way out say nothing of the server", async () => {
    const { client: asking, destinations } = await client();
    const ready: string[] = [];
    destinations.onReady((server) => ready.push(server));
    network.setDown("me.example", true);
    expect(await failureOf(asking.request(request()))).toMatchObject({
      failure: "unreachable",
      isOurs: true,
    });
    expect((await destinations.state("peer.example")).failures).toBe(0);
    expect(await failureOf(asking.request(request({ destination: "me.example" })))).toMatchObject({
      failure: "refused",
      isOurs: true,
    });
    // Whoever waits for it hears of it when there is one.
    destinations.wayIsOpen();
    expect(ready).toEqual(["peer.example"]);
  });

  test("wait where the way out is crowded, as long as they may", async () => {
    const timeouts: number[] = [];
    const crowded: EgressFailure = { failure: "unreachable", why: "x", isOurs: true, retryAfter: 10_000 };
    const answer = (): EgressAnswer => ({
      status: 200,
      headers: {},
      url: "",
      body: new Blob(["{}"]).stream(),
    });
    const answers = [crowded, crowded, answer()];
    const { client: asking } = await client({
      fetch: async (_, { timeout }) => {
        timeouts.push(timeout);
        return answers.shift() ?? crowded;
      },
    });
    expect((await asking.request(request())).status).toBe(200);
    expect(timeouts).toEqual([30_000, 20_000, 10_000]);
    expect(await failureOf(asking.request(request()))).toMatchObject({ isOurs: true });
    expect(timeouts.slice(3)).toEqual([30_000, 20_000, 10_000]);
  });

  test("the same question twice at once is asked once; what changes something never is", async () => {
    const { client: asking } = await client();
    const atPeer = () => network.carried.filter(({ to }) => to === "peer.example");
    const put = request({ method: "PUT", uri: "/_matrix/federation/v1/send/1", content: {} });
    await Promise.all([
      asking.request(request()),
      asking.request(request()),
      asking.request(put),
      asking.request(put),
    ]);
    expect(
      atPeer()
        .map(({ method }) => method)
        .sort(),
    ).toEqual(["GET", "PUT", "PUT"]);
    await asking.request(request());
    expect(atPeer()).toHaveLength(4);
  });

  test("a failure is told to all who wait, and not remembered as an answer", async () => {
    const { client: asking } = await client();
    peer.override("GET", PROFILE, () => rawAnswer("{}", 403));
    const both = await Promise.all([1, 2].map(() => failureOf(asking.request(request()))));
    expect(both.map(({ status }) => status)).toEqual([403, 403]);
    peer.override("GET", PROFILE, () => ({ displayname: "B" }));
    expect((await asking.request(request())).json).toEqual({ displayname: "B" });
  });

  test("a server that never answers takes no more than its share", async () => {
    const { client: asking } = await client();
    const slow = await Peer.open(network, "slow.example");
    slow.override("GET", PROFILE, neverAnswers);
    const hanging = Array.from({ length: 100 }, (_, i) =>
      failureOf(
        asking.request(request({ destination: "slow.example", uri: `${PROFILE}?n=${i}`, timeoutMs: 2_000 })),
      ),
    );
    expect((await asking.request(request())).status).toBe(200);
    expect(network.carried.filter(({ to }) => to === "slow.example")).toHaveLength(8);
    expect(new Set((await Promise.all(hanging)).map(({ failure }) => failure))).toEqual(new Set(["timeout"]));
  });

  test("of two hundred servers that were never asked, those that answer do not wait for the fifty that hang", async () => {
    const answering: string[] = [];
    const { client: asking } = await client({
      fetch: async ({ url }) => {
        const name = new URL(url.replace("matrix:", "https:")).hostname;
        if (name.startsWith("hanging")) return new Promise(() => undefined);
        answering.push(name);
        return { status: 200, headers: {}, url, body: new Blob(["{}"]).stream() };
      },
    });
    const ask = (destination: string) => asking.request(request({ destination, method: "PUT", content: {} }));
    for (let i = 0; i < 50; i++) void ask(`hanging${i}.example`);
    await Promise.all(Array.from({ length: 150 }, (_, i) => ask(`there${i}.example`)));
    expect(new Set(answering).size).toBe(150);
  });

  test("what waits behind a request that fails does not ask the server as well", async () => {
    const { client: asking } = await client();
    const slow = await Peer.open(network, "slow.example");
    let asked = 0;
    slow.override("GET", PROFILE, () => {
      asked++;
      return neverAnswers();
    });
    const wanted = Array.from({ length: 30 }, (_, i) =>
      failureOf(
        asking.request(
          request({
            ...{ destination: "slow.example", uri: `${PROFILE}?n=${i}` },
            timeoutMs: i < 8 ? 50 : 60_000,
          }),
        ),
      ),
    );
    const failures = (await Promise.all(wanted)).map(({ failure }) => failure);
    expect(asked).toBe(8);
    expect(failures.slice(8)).toEqual(failures.slice(8).map(() => "backingOff"));
  });

  test("a stream is handed on as it comes; a refusal is read", async () => {
    const { client: asking } = await client();
    peer.override("GET", PROFILE, () => hugeAnswer(1_000_000));
    const { status, headers, body } = await asking.stream(request());
    expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
    expect(await readBody(body ?? undefined, 2e6)).toHaveLength(1_000_000);
    peer.override("GET", PROFILE, () => rawAnswer('{"errcode":"M_NOT_FOUND"}', 404));
    expect(await failureOf(asking.stream(request()))).toMatchObject({
      status: 404,
      error: { errcode: "M_NOT_FOUND" },
    });
  });
});

describe("what clients are told", () => {
  const answered = (status: number, error?: { errcode: string; [key: string]: string | number }) =>
    new FederationError("answered", "peer.example", `It answers ${status}.`, {
      status,
      ...(error && { error }),
    });

  test.each([
    [answered(403, { errcode: "M_FORBIDDEN", error: "Not you." }), 403, "M_FORBIDDEN", "Not you."],
    [answered(404, { errcode: "M_NOT_FOUND" }), 404, "M_NOT_FOUND", "404"],
    [answered(401, { errcode: "M_UNAUTHORIZED" }), 502, "M_UNKNOWN", "peer.example"],
    [answered(403, { errcode: "M_UNKNOWN_TOKEN" }), 502, "M_UNKNOWN", "peer.example"],
    [answered(404, { errcode: "M_UNRECOGNIZED" }), 502, "M_UNKNOWN", "peer.example"],
    [answered(400, { errcode: "bad code\n" }), 502, "M_UNKNOWN", "peer.example"],
    [answered(404), 502, "M_UNKNOWN", "404"],
    [answered(500, { errcode: "M_FORBIDDEN" }), 502, "M_UNKNOWN", "500"],
    [new FederationError("timeout", "peer.example", "x"), 504, "M_UNKNOWN", "in time"],
    [new FederationError("backingOff", "peer.example", "x"), 502, "M_UNKNOWN", "peer.example"],
    [new FederationError("invalid", "peer.example", "x"), 502, "M_UNKNOWN", "peer.example"],
  ])("%s", (error, status, errcode, words) => {
    expect(clientError(error)).toMatchObject({ status, errcode, message: expect.stringContaining(words) });
  });

  test("what a client needs beside the code goes along, and no more", () => {
    const error = {
      errcode: "M_INCOMPATIBLE_ROOM_VERSION",
      error: "no",
      room_version: "13",
      soft_logout: "x",
    };
    expect(clientError(answered(400, error)).toJSON()).toEqual({
      ...{ errcode: "M_INCOMPATIBLE_ROOM_VERSION", error: "no", room_version: "13" },
    });
    expect(clientError(answered(429, { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 5 })).extra).toEqual({
      retry_after_ms: 5,
    });
  });
});
