import { expect } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { allEndpoints } from "../../../src/sw/index.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import { testNode } from "../../worker-roomserver/support/node.ts";
import { dummy } from "../../worker-roomserver/support/users.ts";
import { type Answer, type Ask, asking } from "./ask.ts";

export const v3 = "/_matrix/client/v3";
export const v1 = "/_matrix/client/v1";

export type Person = {
  userId: string;
  token: string;
  get: (path: string) => Promise<Answer>;
  put: (path: string, body: JsonObject) => Promise<Answer>;
  post: (path: string, body?: JsonObject) => Promise<Answer>;
  delete: (path: string) => Promise<Answer>;
};

export type Home = {
  node: OpenNode;
  ask: Ask;
  /** Registers somebody: the first owns the server. */
  person: (username: string) => Promise<Person>;
  guest: () => Promise<Person>;
};

/** A whole homeserver behind its whole client API. */
export async function home(): Promise<Home> {
  const node = await testNode();
  const ask = asking({ node, endpoints: allEndpoints });
  const entered = async (path: string, body: JsonObject): Promise<Person> => {
    const { user_id, access_token } = (await ask("POST", path, { body })).body;
    const token = String(access_token);
    return {
      userId: String(user_id),
      token,
      get: (path) => ask("GET", path, { token }),
      put: (path, body) => ask("PUT", path, { token, body }),
      post: (path, body = {}) => ask("POST", path, { token, body }),
      delete: (path) => ask("DELETE", path, { token }),
    };
  };
  return {
    node,
    ask,
    person: (username) => entered(`${v3}/register`, { username, password: "secret", auth: dummy }),
    guest: () => entered(`${v3}/register?kind=guest`, {}),
  };
}

/** The body of an answer to what must have gone well. */
export async function good(answer: Promise<Answer>): Promise<JsonObject> {
  const { status, body } = await answer;
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
}

/** What an error looks like. */
export const refused = (status: number, errcode: string) => ({ status, body: { errcode } });

export async function createRoom(who: Person, body: JsonObject = {}): Promise<string> {
  return String((await good(who.post(`${v3}/createRoom`, { preset: "public_chat", ...body }))).room_id);
}

export async function say(who: Person, roomId: string, body: string): Promise<string> {
  const path = `${v3}/rooms/${roomId}/send/m.room.message/${crypto.randomUUID()}`;
  return String((await good(who.put(path, { msgtype: "m.text", body }))).event_id);
}

export const join = (who: Person, roomId: string) => good(who.post(`${v3}/rooms/${roomId}/join`));
