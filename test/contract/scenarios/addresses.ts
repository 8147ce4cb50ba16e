import { expect } from "vitest";
import type { World } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

/*
 * E-mail addresses and phone numbers need an identity server, or somebody who sends mail. This homeserver has
 * neither: each operation answers with the error that the spec has for it, or with what is true all the same.
 */

const email = { client_secret: "monkeys_are_GREAT", email: "alice@example.org", send_attempt: 1 };
const phone = {
  client_secret: "monkeys_are_GREAT",
  country: "GB",
  phone_number: "07700900001",
  send_attempt: 1,
};
const credentials = {
  client_secret: "d0nt-T3ll",
  id_server: "id.example",
  id_access_token: "abc123",
  sid: "abc123987",
};

const byAlice =
  (body: Exclude<Awaited<ReturnType<Scenario["prepare"]>>["body"], undefined>) =>
  async ({ person }: World) => ({ as: await person(), body });

const requestToken = (
  operation: string,
  path: string,
  [status, errcode]: [status: number, errcode: string],
): Scenario[] => [
  {
    operation: `${operation}Email`,
    route: `POST /_matrix/client/v3${path}/email/requestToken`,
    expected: { status, errcode },
    prepare: async () => ({ body: email }),
  },
  {
    operation: `${operation}MSISDN`,
    route: `POST /_matrix/client/v3${path}/msisdn/requestToken`,
    expected: { status, errcode },
    prepare: async () => ({ body: phone }),
  },
];

const takeAway = (operation: string, verb: "delete" | "unbind"): Scenario => ({
  operation,
  route: `POST /_matrix/client/v3/account/3pid/${verb}`,
  // There is no identity server to tell.
  ignores: ["id_server", "medium"],
  prepare: async ({ person }) => ({
    as: await person(),
    body: { medium: "email", address: "alice@example.org" },
    check: ({ body }) => expect(body).toEqual({ id_server_unbind_result: "no-support" }),
  }),
});

export const addressesScenarios: Scenario[] = [
  {
    operation: "getAccount3PIDs",
    route: "GET /_matrix/client/v3/account/3pid",
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) => expect(body).toEqual({ threepids: [] }),
    }),
  },
  {
    operation: "post3PIDs",
    route: "POST /_matrix/client/v3/account/3pid",
    expected: { status: 403, errcode: "M_THREEPID_AUTH_FAILED" },
    prepare: byAlice({ three_pid_creds: credentials }),
  },
  {
    operation: "add3PID",
    route: "POST /_matrix/client/v3/account/3pid/add",
    expected: { status: 400, errcode: "M_THREEPID_AUTH_FAILED" },
    prepare: byAlice({ client_secret: credentials.client_secret, sid: credentials.sid }),
  },
  {
    operation: "bind3PID",
    route: "POST /_matrix/client/v3/account/3pid/bind",
    expected: { status: 400, errcode: "M_SERVER_NOT_TRUSTED" },
    prepare: byAlice(credentials),
  },
  takeAway("delete3pidFromAccount", "delete"),
  takeAway("unbind3pidFromAccount", "unbind"),
  ...requestToken("requestTokenTo3PID", "/account/3pid", [400, "M_THREEPID_MEDIUM_NOT_SUPPORTED"]),
  ...requestToken("requestTokenToResetPassword", "/account/password", [400, "M_THREEPID_NOT_FOUND"]),
  ...requestToken("requestTokenToRegister", "/register", [403, "M_THREEPID_DENIED"]),
  {
    operation: "inviteBy3PID",
    route: "POST /_matrix/client/v3/rooms/{roomId}/invite",
    expected: { status: 403, errcode: "M_FORBIDDEN" },
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { roomId: await alice.room() },
        body: {
          id_server: "id.example",
          id_access_token: "abc123",
          medium: "email",
          address: "bob@example.org",
        },
      };
    },
  },
];
