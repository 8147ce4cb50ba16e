import { beforeAll, describe, expect, test, vi } from "vitest";
import type { LinkHandler } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { Keeper } from "../../../src/link/keeper.ts";
import { encodeUtf8 } from "../../../src/matrix/utf8.ts";
import { readAuthorization, verifyRequest } from "../../../src/matrix/x-matrix.ts";
import { FederationError } from "../../../src/worker-roomserver/federation/api.ts";
import { SigningClient } from "../../../src/worker-roomserver/federation/client/client.ts";
import { askOver } from "../../../src/worker-roomserver/relay/egress.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { type Authority, makeAuthority } from "../support/authority.ts";
import { ed25519, type Person, person } from "../support/people.ts";
import { serveTls } from "../support/servers.ts";
import { startWholeRelay } from "../support/whole-relay.ts";

// What a node's requests to other servers come to, over sessions as they are: with the node's own client at one end.

type WholeRelay = Awaited<ReturnType<typeof startWholeRelay>>;
type Seen = { method: string; target: string; headers: Record<string, string>; body: string };

let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority();
});

const PATH = "/_matrix/federation/v1/send/a%2Fb?c=%20d";
const QUERY = "/_matrix/federation/v1/query/profile?user_id=%40a%3Ab";

/** A node whose home is a relay, though it may have its session with another one. */
async function startNode(fill: number, home: WholeRelay, relay = home) {
  const who = await person(fill);
  const serverName = who.name.replace(/\..*$/, `.${home.name}`);
  const seen: Seen[] = [];
  let answer: LinkHandler = async () => ({ status: 200, headers: [], body: new Blob(["{}"]).stream() });
  const opened = Promise.withResolvers<void>();
  const keeper = new Keeper({
    relayName: relay.name,
    identity: { serverName, ...who.key },
    handler: async (request, signal) => {
      const body = await new Response(request.body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
      seen.push({
        method: request.method,
        target: request.target,
        headers: Object.fromEntries(request.headers),
        body,
      });
      return answer({ ...request, body: new Blob([encodeUtf8(body)]).stream() }, signal);
    },
    addresses: async () => relay.addresses,
    clock: systemClock,
    random: () => 0,
    changed: ({ state }) => state === "open" && opened.resolve(),
    log: (error) => console.error(error),
    kinds: () => ["websocket"],
  });
  atTheEnd(() => keeper.sleep("The test is over."));
  keeper.reconnect();
  await opened.promise;
  const failed = vi.fn();
  const client = new SigningClient({
    ...{ serverName, key: who.key, now: Date.now },
    later: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    egress: {
      fetch: (target, request) =>
        askOver(
          { request: (make, signal) => keeper.request(make, signal ? { signal } : {}) },
          target,
          request,
        ),
    },
    destinations: {
      state: async (name) => ({
        ...{ serverName: name, failures: 0, failingSince: 0, retryAt: 0, lastSuccess: 1, lastError: "" },
      }),
      notAsked: () => undefined,
      succeeded: () => undefined,
      failed,
    },
  });
  return {
    ...{ who, serverName, seen, keeper, client, failed },
    answers: (handler: LinkHandler) => {
      answer = handler;
    },
  };
}

/** Whether what has come is signed by who has sent it, for this destination, as it came. */
async function isSigned({ method, target, headers, body }: Seen, by: Person, destination: string) {
  const { origin, signatures } = readAuthorization([headers.authorization ?? ""]);
  const content = body === "" ? undefined : JSON.parse(body);
  const signed = { method, uri: target, origin, destination, content };
  return verifyRequest(signed, signatures[0]!, by.key.publicKey, ed25519);
}

const failureOf = (asked: Promise<unknown>) =>
  asked.then(
    () => expect.fail("it was answered"),
    (error: unknown) => (error instanceof FederationError ? error : expect.fail(String(error))),
  );

/** Two nodes, of one relay or of two. */
const places = {
  "of the same relay": async () => {
    const relay = await startWholeRelay("one.example", authority);
    return { one: relay, other: relay };
  },
  "of another relay": async () => ({
    one: await startWholeRelay("one.example", authority),
    other: await startWholeRelay("two.example", authority),
  }),
};

describe.each(Object.entries(places))("a node %s", (_, start) => {
  async function pair() {
    const { one, other } = await start();
    return { one, other, asking: await startNode(1, one), asked: await startNode(2, other) };
  }

  test("gets the request as it was signed, with its own name as Host, and its answer comes back", async () => {
    const { asking, asked } = await pair();
    const content = { pdus: [], text: "ü😀", n: 1.5 };
    asked.answers(async () => ({
      ...{ status: 200, headers: [["content-type", "application/json"]] },
      body: new Blob(['{"pdus":{},"é":1.0}']).stream(),
    }));
    const answer = await asking.client.request({
      ...{ method: "PUT", destination: asked.serverName, uri: PATH, content },
    });
    expect(answer.text).toBe('{"pdus":{},"é":1.0}');
    expect(asked.seen).toMatchObject([{ method: "PUT", target: PATH, headers: { host: asked.serverName } }]);
    const [seen] = asked.seen as [Seen];
    expect(JSON.parse(seen.body)).toEqual(content);
    expect(await isSigned(seen, asking.who, asked.serverName)).toBe(true);
    expect(Object.keys(seen.headers)).not.toContain("x-hearth-purpose");
  });

  test("refuses in its own words", async () => {
    const { asking, asked } = await pair();
    const error = { errcode: "M_FORBIDDEN", error: "Not you." };
    asked.answers(async () => ({
      status: 403,
      headers: [],
      body: new Blob([JSON.stringify(error)]).stream(),
    }));
    const uri = QUERY;
    const told = await failureOf(
      asking.client.request({ method: "GET", destination: asked.serverName, uri }),
    );
    expect(told).toMatchObject({ failure: "answered", status: 403, error });
  });

  test("that is away is answered for by its relay: transactions are kept, questions are not known", async () => {
    const { asking, asked, other } = await pair();
    await asked.keeper.sleep("gone");
    await vi.waitFor(async () => {
      const request = {
        method: "GET" as const,
        destination: asked.serverName,
        uri: `${QUERY}&x=${Math.random()}`,
      };
      expect(await failureOf(asking.client.request(request))).toMatchObject({
        failure: "answered",
        status: 404,
      });
    });
    const content = { pdus: [{ a: "b" }] };
    const sent = { method: "PUT" as const, destination: asked.serverName, uri: PATH, content };
    expect((await asking.client.request(sent)).json).toEqual({ pdus: {} });
    expect((await other.mailbox.backlog(asked.serverName)).entries).toBe(1);
  });

  test("sends a large answer whole, and one that is too large for who asks is cut off", async () => {
    const { asking, asked } = await pair();
    const text = `{"a":"${"x".repeat(3_000_000)}"}`;
    asked.answers(async () => ({ status: 200, headers: [], body: new Blob([text]).stream() }));
    const request = { method: "GET" as const, destination: asked.serverName, uri: QUERY };
    expect((await asking.client.request(request)).text).toBe(text);
    expect((await failureOf(asking.client.request({ ...request, maxBytes: 1000 }))).failure).toBe("tooLarge");
  });
});

describe("an ordinary server", () => {
  test("gets its name as Host, and its answers come back", async () => {
    const relay = await startWholeRelay("one.example", authority);
    const node = await startNode(1, relay);
    const requests: Seen[] = [];
    const port = serveTls(await authority.issue("server.example"), async (request) => {
      const url = new URL(request.url);
      requests.push({
        ...{ method: request.method, target: url.pathname + url.search, body: await request.text() },
        headers: Object.fromEntries(request.headers),
      });
      return Response.json({ errcode: "M_NOT_FOUND", error: "no" }, { status: 404 });
    });
    const destination = `server.example:${port}`;
    const content = { a: "ü" };
    const error = await failureOf(node.client.request({ method: "POST", destination, uri: PATH, content }));
    expect(error).toMatchObject({ failure: "answered", status: 404, error: { errcode: "M_NOT_FOUND" } });
    expect(requests[0]?.headers).toMatchObject({ host: destination, "content-type": "application/json" });
    expect(await isSigned(requests[0] as Seen, node.who, destination)).toBe(true);
    expect(node.failed).not.toHaveBeenCalled();
  });

  test("that is not there is told apart from a relay that has no room", async () => {
    const limits = { perMinute: 60, burst: 2, perOwner: 64, perTarget: 100, total: 1000 };
    const relay = await startWholeRelay("one.example", authority, limits);
    const node = await startNode(1, relay);
    const ask = (n: number) =>
      failureOf(
        node.client.request({
          method: "GET",
          destination: "gone.example:1",
          uri: `${QUERY}&n=${n}`,
          timeoutMs: 900,
        }),
      );
    expect(await ask(1)).toMatchObject({ failure: "unreachable", isOurs: false });
    expect(await ask(2)).toMatchObject({ failure: "unreachable", isOurs: false });
    expect(await ask(3)).toMatchObject({ failure: "unreachable", isOurs: true });
    expect(node.failed).toHaveBeenCalledTimes(2);
  });
});

test("a node that has had a session elsewhere is asked at its home, unless it has one there now", async () => {
  const one = await startWholeRelay("one.example", authority);
  const two = await startWholeRelay("two.example", authority);
  const asking = await startNode(1, one);
  const guest = await startNode(2, two, one);
  const sent = { method: "PUT" as const, destination: guest.serverName, uri: PATH, content: {} };
  await asking.client.request(sent);
  expect(guest.seen).toHaveLength(1);
  await guest.keeper.sleep("It goes home.");
  const home = await startNode(2, two);
  await vi.waitFor(async () => {
    await asking.client.request(sent);
    expect(home.seen.length).toBeGreaterThan(0);
  });
});
