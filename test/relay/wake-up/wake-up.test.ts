import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeBase64Url } from "../../../src/matrix/base64.ts";
import type { AskHop, Hop } from "../../../src/relay/egress/client.ts";
import { EgressFailure } from "../../../src/relay/egress/failure.ts";
import type { Subscription } from "../../../src/relay/wake-up/api.ts";
import { vapidKeys } from "../../../src/relay/wake-up/vapid.ts";
import { openWakeUp, type WakeUpParts } from "../../../src/relay/wake-up/web-push.ts";
import { memoryDocuments } from "../support/documents.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function subscription(endpoint = "https://push.example/abc?d"): Promise<Subscription> {
  const { publicKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
    "deriveBits",
  ]);
  const p256dh = encodeBase64Url(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)));
  return { endpoint, keys: { p256dh, auth: encodeBase64Url(crypto.getRandomValues(new Uint8Array(16))) } };
}

/** A relay whose push service answers as `answer` says. */
async function wakeUp(
  answer: () => Response = () => new Response("", { status: 201 }),
  change: Partial<WakeUpParts> = {},
) {
  const pushes: Hop[] = [];
  const ask: AskHop = async (hop) => {
    pushes.push(hop);
    const response = answer();
    const body = response.body ?? new Blob([]).stream();
    return { status: response.status, headers: [...response.headers], body, ended: Promise.resolve() };
  };
  const documents = memoryDocuments();
  const sender = {
    keys: await vapidKeys(documents),
    contact: "mailto:a@relay.example",
    relayName: "relay.example",
  };
  const parts: WakeUpParts = {
    documents,
    ask,
    sender,
    needed: async () => true,
    now: () => Date.now(),
    observe: () => undefined,
    report: (error) => expect.fail(String(error)),
    ...change,
  };
  return { pushes, parts, wake: openWakeUp(parts) };
}

const minute = 60_000;

test("the keys are made once", async () => {
  const documents = memoryDocuments();
  const first = await vapidKeys(documents);
  expect(await vapidKeys(documents)).toEqual(first);
  expect(first.publicKey).toMatch(/^[\w-]{87}$/);
});

test("a push is encrypted, says nothing in its head but who sends it, and lasts for a while", async () => {
  const { wake, pushes } = await wakeUp();
  await wake.subscribe("node", await subscription());
  await wake.wake("node");
  expect(pushes).toHaveLength(1);
  expect(pushes[0]).toMatchObject({
    host: "push.example",
    port: 443,
    method: "POST",
    path: "/abc?d",
    secure: true,
  });
  const headers = Object.fromEntries(pushes[0]?.headers ?? []);
  expect(headers).toMatchObject({
    "content-encoding": "aes128gcm",
    topic: "mail",
    urgency: "high",
    ttl: "604800",
  });
  expect(headers.authorization).toMatch(/^vapid t=/);
  const body = pushes[0]?.body;
  expect(body?.kind === "bytes" && new TextDecoder().decode(body.bytes)).not.toContain("relay");
});

test("without a subscription, and after it was taken back, there is none", async () => {
  const { wake, pushes } = await wakeUp();
  await wake.wake("node");
  await wake.subscribe("node", await subscription());
  expect(await wake.isSubscribed("node")).toBe(true);
  await wake.subscribe("node", null);
  await wake.wake("node");
  expect(await wake.isSubscribed("node")).toBe(false);
  expect(pushes).toEqual([]);
});

test("much mail makes one push a minute, also over a new subscription; other nodes have their own", async () => {
  const { wake, pushes } = await wakeUp();
  await wake.subscribe("node", await subscription());
  await wake.subscribe("other", await subscription("https://push.example/other"));
  await Promise.all(Array.from({ length: 20 }, () => wake.wake("node")));
  await wake.wake("other");
  await wake.subscribe("node", await subscription());
  await wake.wake("node");
  expect(pushes.map(({ path }) => path).sort()).toEqual(["/abc?d", "/other"]);
  await vi.advanceTimersByTimeAsync(minute - 1);
  expect(pushes).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(pushes).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(10 * minute);
  expect(pushes).toHaveLength(3);
});

test("the push that was put off is not sent to a node that has come in the meantime", async () => {
  let needed = true;
  const { wake, pushes } = await wakeUp(undefined, { needed: async () => needed });
  await wake.subscribe("node", await subscription());
  await wake.wake("node");
  await wake.wake("node");
  needed = false;
  await vi.advanceTimersByTimeAsync(2 * minute);
  expect(pushes).toHaveLength(1);
});

test.each([404, 410, 403])("after %i the subscription is dropped", async (status) => {
  const { wake } = await wakeUp(() => new Response("", { status }));
  await wake.subscribe("node", await subscription());
  await wake.wake("node");
  expect(await wake.isSubscribed("node")).toBe(false);
});

test("a subscription that was replaced while the old one was told to be gone stays", async () => {
  const fresh = await subscription("https://push.example/new");
  let replace: () => Promise<void> = async () => undefined;
  const { wake } = await wakeUp(undefined, {
    ask: async () => {
      await replace();
      return { status: 410, headers: [], body: new Blob([]).stream(), ended: Promise.resolve() };
    },
  });
  replace = () => wake.subscribe("node", fresh);
  await wake.subscribe("node", await subscription());
  await wake.wake("node");
  expect(await wake.isSubscribed("node")).toBe(true);
});

test("Retry-After is waited for, and failures are tried ever later", async () => {
  let answer = () => new Response("", { status: 429, headers: { "retry-after": "600" } });
  const { wake, pushes } = await wakeUp(() => answer());
  await wake.subscribe("node", await subscription());
  await wake.wake("node");
  await wake.wake("node");
  await vi.advanceTimersByTimeAsync(10 * minute - 1);
  expect(pushes).toHaveLength(1);
  answer = () => new Response("", { status: 500 });
  await vi.advanceTimersByTimeAsync(1);
  expect(pushes).toHaveLength(2);
  await wake.wake("node");
  await vi.advanceTimersByTimeAsync(2 * minute - 1);
  expect(pushes).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(pushes).toHaveLength(3);
});

test("an endpoint inside is never asked again", async () => {
  const { wake } = await wakeUp(() => {
    throw new EgressFailure("refused", "private");
  });
  await wake.subscribe("node", await subscription("https://10.0.0.1/x"));
  await wake.wake("node");
  expect(await wake.isSubscribed("node")).toBe(false);
});

test.each<[what: string, change: (good: Subscription) => Subscription]>([
  ["http", (good) => ({ ...good, endpoint: "http://push.example/" })],
  ["no URL", (good) => ({ ...good, endpoint: "push" })],
  ["a URL with a password", (good) => ({ ...good, endpoint: "https://a:b@push.example/" })],
  ["a URL that is too long", (good) => ({ ...good, endpoint: `https://push.example/${"x".repeat(3000)}` })],
  ["a short key", (good) => ({ ...good, keys: { ...good.keys, p256dh: "AAAA" } })],
  [
    "a point that is on no curve",
    (good) => ({ ...good, keys: { ...good.keys, p256dh: `B${"A".repeat(86)}` } }),
  ],
  ["a short secret", (good) => ({ ...good, keys: { ...good.keys, auth: "AA" } })],
])("a subscription with %s is refused", async (_, change) => {
  const { wake } = await wakeUp();
  await expect(wake.subscribe("node", change(await subscription()))).rejects.toMatchObject({
    errcode: "M_INVALID_PARAM",
  });
  expect(await wake.isSubscribed("node")).toBe(false);
});
