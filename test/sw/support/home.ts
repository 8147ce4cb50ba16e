import type { JsonObject } from "../../../src/matrix/json.ts";
import { allEndpoints } from "../../../src/sw/index.ts";
import { testNode } from "../../worker-roomserver/support/node.ts";
import { dummy } from "../../worker-roomserver/support/users.ts";
import { type Answer, asking } from "./ask.ts";

/** A client that is logged in: paths are those after `/_matrix/client/v3`. */
export type Client = {
  userId: string;
  deviceId: string;
  ask: (method: string, path: string, body?: JsonObject) => Promise<Answer>;
};

/** The whole client API over a whole node, and clients of it. */
export async function testHome() {
  const node = await testNode();
  const ask = asking({ node, endpoints: allEndpoints });
  const v3 = "/_matrix/client/v3";
  const client = ({ body }: Answer): Client => {
    const token = body.access_token as string;
    return {
      userId: body.user_id as string,
      deviceId: body.device_id as string,
      ask: (method, path, content) =>
        ask(method, v3 + path, { token, ...(content !== undefined && { body: content }) }),
    };
  };
  return {
    node,
    ask,
    register: async (username: string, kind: "user" | "guest" = "user") =>
      client(await ask("POST", `${v3}/register?kind=${kind}`, { body: { username, password, auth: dummy } })),
    login: async (user: string) => {
      const identifier = { type: "m.id.user", user };
      return client(
        await ask("POST", `${v3}/login`, { body: { type: "m.login.password", identifier, password } }),
      );
    },
  };
}

const password = "correct horse battery";
