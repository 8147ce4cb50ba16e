import type { JsonObject } from "../../../src/matrix/json.ts";
import { allEndpoints } from "../../../src/sw/index.ts";
import { TokenBuckets } from "../../../src/sw/limits.ts";
import type { Egress, EgressFailure } from "../../../src/worker-roomserver/egress/api.ts";
import { asToken, yamlOf } from "../../worker-roomserver/appservices/support/registration.ts";
import { outsideJson } from "../../worker-roomserver/support/egress.ts";
import { testNode } from "../../worker-roomserver/support/node.ts";
import { dummy } from "../../worker-roomserver/support/users.ts";
import { type Answer, asking } from "./ask.ts";

/** `path`: below version 1 of the API; of other routes with a slash in front. */
export type Call = { method: string; path: string; authorization: string | undefined; body: JsonObject };
export type Transaction = {
  events: (JsonObject & { type: string; room_id: string; sender: string; content: JsonObject })[];
  ephemeral?: (JsonObject & { type: string })[];
  "de.sorunome.msc2409.ephemeral"?: JsonObject[];
  "de.sorunome.msc2409.to_device"?: JsonObject[];
  "org.matrix.msc3202.device_lists"?: { changed: string[]; left: string[] };
  "org.matrix.msc3202.device_one_time_keys_count"?: Record<string, JsonObject>;
  "org.matrix.msc3202.device_unused_fallback_key_types"?: Record<string, JsonObject>;
};

export const v3 = "/_matrix/client/v3";
export const part = encodeURIComponent;

/** A homeserver with a bridge, and alice; `change`: in the bridge's registration. */
export async function bridged(change: JsonObject = {}) {
  const calls: Call[] = [];
  let answer: (call: Call) => Promise<{ status: number; body?: JsonObject } | EgressFailure> = async () => ({
    status: 200,
  });
  const fetch: Egress["fetch"] = async ({ url }, { method, headers, body }) => {
    const path = url.replace("http://irc/_matrix/app/v1/", "").replace("http://irc/", "/");
    const call = {
      method,
      path,
      authorization: headers.Authorization,
      body: JSON.parse(body ?? "{}") as JsonObject,
    };
    calls.push(call);
    const said = await answer(call);
    return "failure" in said ? said : outsideJson(said.body ?? {}, said.status);
  };
  const node = await testNode(undefined, { fetch });
  const { serverName } = await node.info();
  const endpoints = allEndpoints;
  const options = { node, endpoints, limiter: new TokenBuckets(() => 0) };
  const ask = asking({
    ...options,
    caller: { source: "relay", address: "1", baseUrl: "https://home.example" },
  });
  const own = asking({ ...options, caller: { source: "own" } });
  const registered = await own("POST", `${v3}/register`, {
    body: { username: "alice", password: "correct horse battery", auth: dummy },
  });
  const alice = registered.body.access_token as string;
  const { sender } = await node.appServices.add(yamlOf(change));
  const bridge = (method: string, path: string, body?: JsonObject): Promise<Answer> =>
    ask(method, path, { token: asToken, ...(body !== undefined && { body }) });
  const person = (method: string, path: string, body?: JsonObject): Promise<Answer> =>
    own(method, path, { token: alice, ...(body !== undefined && { body }) });
  const ghost = (localpart: string) => `@_irc_${localpart}:${serverName}`;
  return {
    ...{ node, serverName, calls, ask, own, bridge, person, sender, ghost },
    answers: (next: typeof answer) => {
      answer = next;
    },
    makeGhost: (localpart: string, more: JsonObject = {}) =>
      bridge("POST", `${v3}/register`, {
        type: "m.login.application_service",
        username: `_irc_${localpart}`,
        inhibit_login: true,
        ...more,
      }),
    room: async (body: JsonObject = {}) =>
      (await person("POST", `${v3}/createRoom`, { preset: "public_chat", ...body })).body.room_id as string,
    transactions: () =>
      calls
        .filter(({ path }) => path.startsWith("transactions/"))
        .map(({ body }) => body as unknown as Transaction),
  };
}

export const errorOf = ({ status, body }: Answer) => [status, body.errcode];
