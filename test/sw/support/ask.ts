import type { JsonObject } from "../../../src/matrix/json.ts";
import { type ClientApi, createClientApi } from "../../../src/sw/door.ts";
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

/** A client of the client API: `Request` in, the answer's parts out. What is no JSON reads as `{}`. */
export function asking({
  node,
  endpoints,
  limiter = unlimited,
  caller = { source: "own" },
  scopePath = "/",
}: AskOptions): Ask {
  return askingOf(createClientApi({ node, endpoints, limiter, scopePath }), caller);
}

/** The same of an API that others ask too. */
export function askingOf(api: ClientApi, caller: Caller = { source: "own" }): Ask {
  return async (method, path, { token, body, headers } = {}) => {
    const init: RequestInit = { method, headers: new Headers(headers) };
    if (token !== undefined) (init.headers as Headers).set("Authorization", `Bearer ${token}`);
    if (body !== undefined) init.body = isPlain(body) ? JSON.stringify(body) : body;
    const response = await api(new Request(`https://home.example${path}`, init), caller);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: isJson(response) && text !== "" ? (JSON.parse(text) as JsonObject) : {},
    };
  };
}

const isJson = ({ headers }: Response) => headers.get("Content-Type") === "application/json";

const isPlain = (body: BodyInit | JsonObject): body is JsonObject =>
  typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype;
