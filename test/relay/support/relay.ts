import { onTestFinished } from "vitest";
import type { LinkRequest, LinkResponse } from "../../../src/link/api.ts";
import { sqliteDocuments } from "../../../src/relay/documents/sqlite-documents.ts";
import type { Egress } from "../../../src/relay/egress/api.ts";
import type { Arrived } from "../../../src/relay/ingress/arrived.ts";
import { openIngress } from "../../../src/relay/ingress/ingress.ts";
import { defaultLimits, type IngressParts } from "../../../src/relay/ingress/parts.ts";
import { openKeyMailbox } from "../../../src/relay/key-mailbox/key-mailbox.ts";
import { withArrivals } from "../../../src/relay/mailbox/arrivals.ts";
import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openDomains } from "../../../src/relay/names/domains.ts";
import { openKeyRing } from "../../../src/relay/names/key-ring.ts";
import { openNames } from "../../../src/relay/names/names.ts";
import { publishedKeys } from "../../../src/relay/names/published-keys.ts";
import { nodeApi } from "../../../src/relay/node-api/node-api.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";
import { ed25519, keyDocument, type Person, RELAY } from "./people.ts";

export type NodeAnswer = (request: LinkRequest, signal: AbortSignal) => Promise<LinkResponse | undefined>;

/** All of this part of the relay over a database in memory; nodes, the network and the clock are the test's. */
export function relay(over: Partial<IngressParts> = {}, mailboxLimits = { bytes: 1 << 24, entries: 100 }) {
  const sqlite = openSqlite(":memory:");
  onTestFinished(() => sqlite.close());
  const awake = new Map<string, NodeAnswer>();
  const world = new Map<string, Person>();
  const delegations = new Map<string, string>();
  const seen = {
    asked: [] as string[],
    egress: [] as [owner: string, purpose: string, target: string][],
    mail: [] as string[],
    faults: [] as unknown[],
    subscriptions: new Map<string, unknown>(),
  };
  const clock = { now: 1_000_000 };
  const now = () => clock.now;

  const egress: Egress = async (owner, purpose, { target }) => {
    seen.egress.push([owner, purpose, target]);
    const name = /^matrix:\/\/([^/]+)\/_matrix\/key\/v2\/server$/.exec(target)?.[1] ?? "";
    const found = world.get(name);
    if (found === undefined) return { status: 502, headers: [["x-hearth-egress", "unreachable"]] };
    const body = new Blob([
      JSON.stringify(await keyDocument(found, { valid_until_ts: clock.now + 100_000 })),
    ]);
    return { status: 200, headers: [], body: body.stream() };
  };

  const documents = sqliteDocuments(sqlite);
  const { mailbox, arrivals } = withArrivals(sqliteMailbox(sqlite, mailboxLimits));
  const published = publishedKeys(egress, RELAY, ed25519);
  const domains = openDomains(async (name) => delegations.get(name), published);
  const names = openNames({
    ...{ documents, domains, relayName: RELAY, shortNames: true, now },
    givenNames: ["127.0.0.1:8448"],
  });
  const keyRing = openKeyRing({ names, published, now });
  const keyMailbox = openKeyMailbox(documents);
  const sessions = {
    isAwake: async (name: string) => awake.has(name),
    forward: async (name: string, request: LinkRequest, signal: AbortSignal) => {
      seen.asked.push(`${request.method} ${request.target}`);
      return awake.get(name)?.(request, signal);
    },
    setAsleep: (name: string, asleep: boolean) => {
      if (asleep) awake.delete(name);
    },
  };
  const onFault = (error: unknown) => {
    seen.faults.push(error);
  };
  const ingress = openIngress({
    ...{ relayName: RELAY, version: "1", sessions, mailbox, documents, keyMailbox, names, keyRing, ed25519 },
    onMail: (node) => seen.mail.push(node),
    onFault,
    now,
    limits: defaultLimits,
    ...over,
  });
  const wakeUp = {
    subscribe: async (owner: string, subscription: unknown) => {
      seen.subscriptions.set(owner, subscription);
    },
    isSubscribed: async (owner: string) => (seen.subscriptions.get(owner) ?? null) !== null,
  };
  const api = nodeApi({
    ...{ mailbox, arrivals, keyMailbox, documents, names, egress, ed25519, sessions, wakeUp, onFault },
  });

  return {
    ...{
      ingress,
      api,
      mailbox,
      documents,
      names,
      keyRing,
      keyMailbox,
      awake,
      world,
      delegations,
      seen,
      clock,
    },
    /** Lets a node in, as a session does. */
    enter: async ({ name, key }: Person) =>
      names.authorize({ serverName: name, keyId: key.keyId, publicKey: key.publicKey }),
  };
}

export function arrived(host: string, method: string, target: string, over: ArrivedOver = {}): Arrived {
  const { body, headers, address = "192.0.2.7", signal = new AbortController().signal } = over;
  const stream = typeof body === "string" ? new Blob([body]).stream() : (body ?? null);
  return { method, target, host, headers: new Headers(headers), body: stream, address, signal };
}
export type ArrivedOver = {
  body?: string | ReadableStream<Uint8Array> | undefined;
  headers?: Record<string, string>;
  address?: string;
  signal?: AbortSignal;
};

export function linkAnswer(status: number, json: unknown, headers: [string, string][] = []): LinkResponse {
  const body = new Blob([JSON.stringify(json)]).stream();
  return { status, headers: [["content-type", "application/json"], ...headers], body };
}

/** Asks the node's API, and reads the answer. */
export async function call(
  handler: ReturnType<ReturnType<typeof nodeApi>>,
  method: string,
  target: string,
  json?: unknown,
  signal = new AbortController().signal,
) {
  const body = json === undefined ? undefined : new Blob([JSON.stringify(json)]).stream();
  const answer = await handler({ method, target, headers: [], body }, signal);
  return { status: answer.status, json: await new Response(answer.body).json() };
}
