import type { JsonObject } from "../../../src/matrix/json.ts";
import { createClientApi } from "../../../src/sw/door.ts";
import type { Endpoint } from "../../../src/sw/endpoint.ts";
import { type Caller, type Limiter, unlimited } from "../../../src/sw/limits.ts";
import type { Node } from "../../../src/worker-roomserver/node/api.ts";

export type Answer = { status: number; headers: Headers; body: JsonObject };
export type Ask = (
  method: string,
  path: string,
  options?: { token?: string; body?: BodyInit | JsonObject; headers?: HeadersInit },
) => Promise<Answer>;

export type AskOptions = {
  node: Node;
  endpoints: readonly Endpoint[];
  limiter?: Limiter;
  caller?: Caller;
  scopePath?: string;
};

/** A client of the client API: `Request` in, the answer's parts out. Answers without a body read as `{}`. */
export function asking({
  node,
  endpoints,
  limiter = unlimited,
  caller = { source: "own" },
  scopePath = "/",
}: AskOptions): Ask {
  const api = createClientApi({ node, endpoints, limiter, scopePath });
  return async (method, path, { token, body, headers } = {}) => {
    const init: RequestInit = { method, headers: new Headers(headers) };
    if (token !== undefined) (init.headers as Headers).set("Authorization", `Bearer ${token}`);
    if (body !== undefined) init.body = isPlain(body) ? JSON.stringify(body) : body;
    const response = await api(new Request(`https://home.example${path}`, init), caller);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? {} : (JSON.parse(text) as JsonObject),
    };
  };
}

const isPlain = (body: BodyInit | JsonObject): body is JsonObject =>
  typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype;
