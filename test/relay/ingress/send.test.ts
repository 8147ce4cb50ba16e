import { describe, expect, test } from "vitest";
import type { LinkRequest } from "../../../src/link/api.ts";
import type { JsonValue } from "../../../src/matrix/json.ts";
import { defaultLimits } from "../../../src/relay/ingress/parts.ts";
import { person, RELAY, signed } from "../support/people.ts";
import { type ArrivedOver, arrived, linkAnswer, relay } from "../support/relay.ts";

const node = await person(1);
const other = await person(9, "other.example");
const empty = { pdus: [], edus: [] };

/** A relay with a node that has been there, and a server elsewhere whose keys can be had. */
async function opened(...parameters: Parameters<typeof relay>) {
  const one = relay(...parameters);
  one.world.set(other.name, other);
  await one.enter(node);
  const send = async (txnId: string, content: JsonValue = empty, over: ArrivedOver & SendOver = {}) => {
    const { from = other, destination = node.name, host = node.name, forge = "" } = over;
    const request = await signed(from, destination, "PUT", `/_matrix/federation/v1/send/${txnId}`, content);
    const headers = { authorization: request.authorization + forge, ...over.headers };
    const body = over.body ?? request.body;
    const answer = await one.ingress.answer(arrived(host, "PUT", request.uri, { ...over, headers, body }));
    return { status: answer?.status, json: await answer?.json(), headers: answer?.headers, request };
  };
  return { ...one, send, stored: async () => (await one.mailbox.next(node.name, 0))?.entry };
}
type SendOver = { from?: typeof other; destination?: string; host?: string; forge?: string };

describe("send, the node away", () => {
  test("is kept whole and answered 200; the node is told, and is not asked to wait for it", async () => {
    const { send, stored, seen } = await opened();
    const answer = await send("txn%201", { pdus: [{ content: { n: 1.5 } }], edus: [] });
    expect(answer).toMatchObject({ status: 200, json: { pdus: {} } });
    expect(await stored()).toMatchObject({
      origin: other.name,
      txnId: "txn 1",
      method: "PUT",
      uri: "/_matrix/federation/v1/send/txn%201",
      authorization: [answer.request.authorization],
      body: new TextEncoder().encode(answer.request.body),
      verified: true,
    });
    expect(seen.mail).toEqual([node.name]);
  });

  test("is answered the same when it is sent again, and kept once", async () => {
    const { send, mailbox, seen } = await opened();
    expect((await send("1")).status).toBe(200);
    expect((await send("1")).status).toBe(200);
    expect(await mailbox.backlog(node.name)).toMatchObject({ entries: 1 });
    expect(seen.mail).toHaveLength(1);
  });

  test("a signature that is wrong is refused with 401, and nothing is kept", async () => {
    const { send, stored } = await opened();
    const forger = await person(8, other.name);
    expect(await send("1", empty, { from: forger })).toMatchObject({
      status: 401,
      json: { errcode: "M_UNAUTHORIZED" },
    });
    expect(await send("1", empty, { body: '{"pdus":[],"edus":[{}]}' })).toMatchObject({ status: 401 });
    expect(await stored()).toBeUndefined();
  });

  test("keys that cannot be had lose no mail; what cannot be checked has a smaller share", async () => {
    const { send, world, stored, mailbox } = await opened({}, { bytes: 1 << 20, entries: 8 });
    world.clear();
    expect((await send("1")).status).toBe(200);
    expect(await stored()).toMatchObject({ verified: false });
    expect((await send("2")).status).toBe(200);
    expect((await send("3")).status).toBe(507);
    const own = await person(2);
    expect((await send("4", empty, { from: own })).status).toBe(200);
    expect(await mailbox.backlog(node.name)).toMatchObject({ entries: 3 });
  });

  test("a full mailbox answers a server error, so that the sender keeps it", async () => {
    const { send } = await opened({}, { bytes: 1 << 20, entries: 1 });
    await send("1");
    const answer = await send("2");
    expect(answer).toMatchObject({ status: 507, json: { errcode: "M_RESOURCE_LIMIT_EXCEEDED" } });
    expect(answer.headers?.get("retry-after")).toBe("3600");
  });

  test("a disk that cannot be written is a server error too, and never a 200", async () => {
    const { mailbox } = await opened();
    const broken = { ...mailbox, put: () => Promise.reject(new Error("disk I/O error: /data")) };
    const { send, seen } = await opened({ mailbox: broken });
    const answer = await send("1");
    expect(answer).toMatchObject({ status: 500, json: { errcode: "M_UNKNOWN" } });
    expect(JSON.stringify(answer.json)).not.toContain("/data");
    expect(seen.faults).toHaveLength(1);
  });

  test.each<[what: string, body: string, status: number, errcode: string]>([
    ["what is not JSON", "{", 400, "M_NOT_JSON"],
    ["what is no object", "[]", 400, "M_BAD_JSON"],
    ["nothing", "", 400, "M_BAD_JSON"],
    ["keys twice", '{"pdus":[],"pdus":[]}', 400, "M_BAD_JSON"],
    ["51 PDUs", JSON.stringify({ pdus: Array.from({ length: 51 }, () => ({})) }), 400, "M_BAD_JSON"],
    [
      "101 EDUs",
      JSON.stringify({ pdus: [], edus: Array.from({ length: 101 }, () => ({})) }),
      400,
      "M_BAD_JSON",
    ],
    ["PDUs that are none", '{"pdus":[1]}', 400, "M_BAD_JSON"],
  ])("refuses %s", async (_, body, status, errcode) => {
    const { send, stored } = await opened();
    expect(await send("1", empty, { body })).toMatchObject({ status, json: { errcode } });
    expect(await stored()).toBeUndefined();
  });

  test("takes 50 PDUs of 64 KiB and 100 EDUs", async () => {
    const { send, mailbox } = await opened();
    const pdus = Array.from({ length: 50 }, () => ({ content: { body: "x".repeat(65_000) } }));
    const edus = Array.from({ length: 100 }, () => ({ content: { body: "x".repeat(20_000) } }));
    expect((await send("1", { pdus, edus })).status).toBe(200);
    expect((await mailbox.backlog(node.name)).bytes).toBeGreaterThan(5_000_000);
  });
});

describe("send, the node awake", () => {
  test("is the node's to answer, with the address of who asks; nothing is kept", async () => {
    const { send, awake, stored } = await opened();
    const asked: LinkRequest[] = [];
    awake.set(node.name, async (request) => {
      asked.push(request);
      await new Response(request.body).text();
      return linkAnswer(200, { pdus: { $a: {} } });
    });
    const headers = { "x-forwarded-for": "198.51.100.1", connection: "x-secret", "x-secret": "1" };
    expect(await send("1", empty, { headers })).toMatchObject({ status: 200, json: { pdus: { $a: {} } } });
    expect(await stored()).toBeUndefined();
    const given = Object.fromEntries(asked[0]?.headers ?? []);
    expect(given).toMatchObject({ host: node.name, "x-forwarded-for": "192.0.2.7" });
    expect(Object.keys(given).sort()).toEqual(["authorization", "host", "x-forwarded-for"]);
  });

  test.each([400, 401, 403, 413])("its refusal with %i is the sender's", async (status) => {
    const { send, awake, stored } = await opened();
    awake.set(node.name, async () => linkAnswer(status, { errcode: "M_X", error: "" }));
    expect(await send("1")).toMatchObject({ status, json: { errcode: "M_X" } });
    expect(await stored()).toBeUndefined();
  });

  test.each([404, 429, 500, 503, 507, 301, 42])(
    "an answer of %i means that the mailbox takes it",
    async (status) => {
      const { send, awake, stored } = await opened();
      awake.set(node.name, async () => linkAnswer(status, {}));
      expect(await send("1")).toMatchObject({ status: 200, json: { pdus: {} } });
      expect(await stored()).toMatchObject({ txnId: "1" });
    },
  );

  test("a node that does not answer is not waited for", async () => {
    const { send, awake, stored } = await opened();
    let given = "";
    awake.set(
      node.name,
      (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            given = String(signal.reason);
            resolve(undefined);
          });
        }),
    );
    expect(await send("1")).toMatchObject({ status: 200, json: { pdus: {} } });
    expect(await stored()).toMatchObject({ txnId: "1" });
    expect(given).toContain("in time");
  });

  test("nor one whose answer stops in the middle", async () => {
    const { send, awake, stored } = await opened();
    const body = () =>
      new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([123])) });
    awake.set(node.name, async () => ({ status: 200, headers: [], body: body() }));
    expect(await send("1")).toMatchObject({ status: 200, json: { pdus: {} } });
    expect(await stored()).toMatchObject({ txnId: "1" });
  });
});

describe("whom send is for", () => {
  test("a domain that is delegated here is named by the signature alone", async () => {
    const { send, enter, delegations, mailbox } = await opened();
    delegations.set("own.example", node.name);
    await enter({ ...node, name: "own.example" });
    for (const host of [RELAY, "matrix.own.example:443", node.name]) {
      expect((await send(`to-${host}`, empty, { host, destination: "own.example" })).status).toBe(200);
    }
    expect(await mailbox.backlog("own.example")).toMatchObject({ entries: 3 });
    expect(await mailbox.backlog(node.name)).toMatchObject({ entries: 0 });
  });

  test("a destination that is not what the Host leads to is a forgery", async () => {
    const { send, enter, mailbox } = await opened();
    const victim = await person(2);
    await enter(victim);
    const destinations = [victim.name, "nobody.example", `nobody.${RELAY}`];
    for (const destination of destinations) {
      expect(await send("1", empty, { destination })).toMatchObject({ status: 401 });
    }
    for (const one of [victim.name, node.name]) {
      expect(await mailbox.backlog(one)).toMatchObject({ entries: 0 });
    }
  });

  test("a name that is not known here is a fast 404, whatever else is wrong", async () => {
    const { send } = await opened();
    const stranger = await person(3);
    for (const host of [stranger.name, "nobody.example", RELAY]) {
      const answer = await send("1", empty, { host, destination: host, body: "{" });
      expect(answer).toMatchObject({ status: 404, json: { errcode: "M_NOT_FOUND" } });
    }
  });

  test.each(["", "Bearer x", "X-Matrix origin=a"])(
    "without a good Authorization (%j) it is 401",
    async (text) => {
      const { send, stored } = await opened();
      expect(await send("1", empty, { headers: { authorization: text } })).toMatchObject({ status: 401 });
      expect(await stored()).toBeUndefined();
    },
  );
});

describe("bodies that do harm", () => {
  const endless = () =>
    new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });

  test("one without an end is cut off at the limit, with 413", async () => {
    const { send } = await opened();
    expect(await send("1", empty, { body: endless() })).toMatchObject({
      status: 413,
      json: { errcode: "M_TOO_LARGE" },
    });
  });

  test("one that comes too slowly is given up, and its sender told", async () => {
    let cancelled = false;
    const slow = new ReadableStream<Uint8Array>({
      cancel: () => {
        cancelled = true;
      },
    });
    const { send } = await opened({ limits: { ...defaultLimits, bodyTime: 5 } });
    expect(await send("1", empty, { body: slow })).toMatchObject({ status: 408 });
    expect(cancelled).toBe(true);
  });

  test("many together take no more memory than there is for them, and give it back", async () => {
    const limits = { ...defaultLimits, bufferedBytes: 1000, bodyTime: 60_000 };
    const { send } = await opened({ limits });
    let finish: () => void = () => undefined;
    let first: ReturnType<typeof send> | undefined;
    await new Promise<void>((taken) => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode('{"pdus":[]}'.padEnd(990)));
          finish = () => controller.close();
        },
        // Asked for when the first piece has been read.
        pull: () => taken(),
      });
      first = send("1", { pdus: [] }, { body });
    });
    expect(await send("2")).toMatchObject({ status: 503 });
    finish();
    expect((await first)?.status).toBe(200);
    expect((await send("3")).status).toBe(200);
  });

  test("one that breaks off is no transaction", async () => {
    const { send, stored } = await opened();
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("connection reset")),
    });
    expect(await send("1", empty, { body: broken })).toMatchObject({ status: 400 });
    expect(await stored()).toBeUndefined();
  });
});
