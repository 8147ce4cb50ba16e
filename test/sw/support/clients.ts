import type { JsonObject } from "../../../src/matrix/json.ts";
import { allEndpoints } from "../../../src/sw/index.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import { testNode } from "../../worker-roomserver/support/node.ts";
import { dummy } from "../../worker-roomserver/support/users.ts";
import { type Answer, type Ask, asking } from "./ask.ts";

export type Client = {
  userId: string;
  token: string;
  ask: (method: string, path: string, body?: JsonObject) => Promise<Answer>;
  get: (path: string) => Promise<Answer>;
  /** A room's id. */
  createRoom: (body?: JsonObject) => Promise<string>;
  join: (roomId: string) => Promise<Answer>;
  /** An event's id. */
  send: (roomId: string, content: JsonObject, type?: string) => Promise<string>;
};

/** A whole node behind the whole client API, and who uses it. */
export async function testServer(): Promise<{
  node: OpenNode;
  ask: Ask;
  serverName: string;
  client: (username: string) => Promise<Client>;
}> {
  const node = await testNode();
  const ask = asking({ node, endpoints: allEndpoints });
  const { serverName } = await node.info();
  return { node, ask, serverName, client: (username) => registered(ask, username) };
}

export async function registered(ask: Ask, username: string): Promise<Client> {
  const account = { username, password: "correct horse battery", auth: dummy };
  const { body } = await ask("POST", "/_matrix/client/v3/register", { body: account });
  const { user_id: userId, access_token: token } = body as { user_id: string; access_token: string };
  const call: Client["ask"] = (method, path, body) => ask(method, path, { token, ...(body && { body }) });
  const v3 = "/_matrix/client/v3";
  return {
    userId,
    token,
    ask: call,
    get: (path) => call("GET", path),
    createRoom: async (body = { preset: "public_chat" }) => {
      // The id of a room is a hash of its creation: two of the same millisecond have to differ in something.
      const creation_content = {
        "org.example.unique": crypto.randomUUID(),
        ...(body.creation_content as object),
      };
      const made = await call("POST", `${v3}/createRoom`, { ...body, creation_content });
      if (made.status !== 200) throw new Error(`no room: ${JSON.stringify(made.body)}`);
      return made.body.room_id as string;
    },
    join: (roomId) => call("POST", `${v3}/rooms/${roomId}/join`, {}),
    send: async (roomId, content, type = "m.room.message") => {
      const path = `${v3}/rooms/${roomId}/send/${type}/${crypto.randomUUID()}`;
      const sent = await call("PUT", path, content);
      if (sent.status !== 200) throw new Error(`not sent: ${JSON.stringify(sent.body)}`);
      return sent.body.event_id as string;
    },
  };
}
