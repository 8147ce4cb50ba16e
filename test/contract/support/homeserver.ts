import type { JsonObject } from "../../../src/matrix/json.ts";
import { consoleEndpoints } from "../../../src/sw/console/index.ts";
import { createClientApi } from "../../../src/sw/door.ts";
import { allEndpoints } from "../../../src/sw/index.ts";
import { unlimited } from "../../../src/sw/limits.ts";
import { RequestStatistics, requestStatisticsEndpoint } from "../../../src/sw/request-statistics.ts";
import { type OpenNode, openNode } from "../../../src/worker-roomserver/node/node.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { bridgeEgress } from "./bridge.ts";

const origin = "https://home.example";
const requests = new RequestStatistics(Date.now());
/** Those that the service worker has. */
const served = [...allEndpoints, requestStatisticsEndpoint(requests)];
/** Every endpoint that is served, with its description; what is the owner's stands behind another door. */
export const endpoints = [...served, ...consoleEndpoints];

/** A request as it is sent: `path` is percent-encoded, and has the query. */
export type Sent = {
  method: string;
  path: string;
  token?: string | undefined;
  headers?: Record<string, string> | undefined;
  /** An object is sent as JSON, anything else as it is. */
  body?: JsonObject | BodyInit | undefined;
};

/** `body` is `{}` where the answer is not JSON. */
export type Answer = { status: number; headers: Headers; body: JsonObject; text: string };

export type Send = (sent: Sent) => Promise<Answer>;

/** The whole homeserver as a page has it, without the page: requests go in at the door. */
export type Homeserver = {
  send: Send;
  node: OpenNode;
  serverName: string;
  /** Closes the database, as when a tab goes away, and opens it as the next leader. */
  reopen: () => Promise<Homeserver>;
  /** Closes the database and removes it. */
  end: () => Promise<void>;
};

export async function openHomeserver(dbName = `contract-${crypto.randomUUID()}`): Promise<Homeserver> {
  const stopped: string[] = [];
  const node = await openNode({
    dbName,
    now: Date.now,
    onStopped: (why) => stopped.push(why),
    egress: bridgeEgress,
    passwordCost: { memoryKiB: 8, iterations: 1, parallelism: 1 },
  });
  const api = createClientApi({
    ...{ node, endpoints: served, limiter: unlimited, scopePath: "/" },
    onAnswered: requests.note,
  });
  const { serverName } = await node.info();
  return {
    node,
    serverName,
    send: async (sent) => answerOf(await api(request(sent), { source: "own" })),
    reopen: async () => {
      await node.close();
      if (stopped.length > 0) throw new Error(`the homeserver stopped: ${stopped.join("; ")}`);
      return openHomeserver(dbName);
    },
    end: async () => {
      await node.close();
      await deleteDatabase(dbName);
    },
  };
}

function request({ method, path, token, headers, body }: Sent): Request {
  const init: RequestInit = { method, headers: new Headers(headers) };
  if (token !== undefined) (init.headers as Headers).set("Authorization", `Bearer ${token}`);
  if (body !== undefined) init.body = isPlain(body) ? JSON.stringify(body) : body;
  return new Request(origin + path, init);
}

const isPlain = (body: JsonObject | BodyInit): body is JsonObject =>
  typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype;

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const isJson = headers.get("Content-Type") === "application/json" && text !== "";
  return { status, headers, text, body: isJson ? (JSON.parse(text) as JsonObject) : {} };
}
