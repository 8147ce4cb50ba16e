import { expect } from "vitest";
import { part, password, unique, v1, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

/** Whether the token of a person is still good. */
const whoami = `${v3}/account/whoami`;

export const accountScenarios: Scenario[] = [
  {
    operation: "getTokenOwner",
    route: "GET /_matrix/client/v3/account/whoami",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        check: ({ body }) =>
          expect(body).toEqual({ user_id: alice.userId, device_id: alice.deviceId, is_guest: false }),
      };
    },
  },
  {
    operation: "changePassword",
    route: "POST /_matrix/client/v3/account/password",
    prepare: async ({ person, send }) => {
      const alice = await person();
      const new_password = "staple battery horse";
      return {
        as: alice,
        body: { auth: alice.auth, new_password, logout_devices: false },
        check: async () => {
          const login = (secret: string) =>
            send({ method: "POST", path: `${v3}/login`, body: { ...alice.auth, password: secret } });
          expect((await login(new_password)).status).toBe(200);
          expect((await login(password)).status).toBe(403);
          expect(await alice.status("GET", whoami)).toBe(200);
        },
      };
    },
  },
  {
    operation: "deactivateAccount",
    route: "POST /_matrix/client/v3/account/deactivate",
    // There is no identity server to unbind anything at.
    ignores: ["id_server"],
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        body: { auth: alice.auth, erase: true },
        check: async () => expect(await alice.status("GET", whoami)).toBe(401),
      };
    },
  },
  {
    operation: "requestOpenIdToken",
    route: "POST /_matrix/client/v3/user/{userId}/openid/request_token",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      return {
        as: alice,
        params: { userId: alice.userId },
        body: {},
        check: ({ body }) =>
          expect(body).toMatchObject({ token_type: "Bearer", matrix_server_name: serverName }),
      };
    },
  },
  {
    operation: "getWhoIs",
    route: "GET /_matrix/client/v3/admin/whois/{userId}",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { userId: alice.userId },
        check: ({ body }) => {
          expect(body.user_id).toBe(alice.userId);
          expect(body.devices).toHaveProperty([alice.deviceId]);
        },
      };
    },
  },
  ...(["suspend", "lock"] as const).flatMap((verb): Scenario[] => {
    const member = verb === "suspend" ? "suspended" : "locked";
    const named = verb === "suspend" ? "AdminSuspendUser" : "AdminLockUser";
    return [
      {
        operation: `get${named}`,
        route: `GET /_matrix/client/v1/admin/${verb}/{userId}`,
        prepare: async ({ owner, person }) => {
          const bob = await person();
          await owner.put(`${v1}/admin/${verb}/${part(bob.userId)}`, { [member]: true });
          return {
            as: owner,
            params: { userId: bob.userId },
            check: ({ body }) => expect(body).toEqual({ [member]: true }),
          };
        },
      },
      {
        operation: `set${named}`,
        route: `PUT /_matrix/client/v1/admin/${verb}/{userId}`,
        prepare: async ({ owner, person }) => {
          const bob = await person();
          const path = `${v1}/admin/${verb}/${part(bob.userId)}`;
          return {
            as: owner,
            params: { userId: bob.userId },
            body: { [member]: true },
            check: async () => expect(await owner.get(path)).toEqual({ [member]: true }),
          };
        },
      },
    ];
  }),
  {
    operation: "register",
    route: "POST /_matrix/client/v3/register",
    prepare: async ({ serverName }) => {
      const username = unique("newcomer");
      return {
        query: { kind: "user" },
        body: {
          username,
          password,
          auth: { type: "m.login.dummy" },
          device_id: "PHONE",
          initial_device_display_name: "A phone",
          refresh_token: true,
        },
        check: ({ body }) =>
          expect(body).toMatchObject({ user_id: `@${username}:${serverName}`, device_id: "PHONE" }),
      };
    },
  },
  {
    operation: "register",
    title: "a guest",
    route: "POST /_matrix/client/v3/register",
    prepare: async () => ({
      query: { kind: "guest" },
      body: {},
      check: ({ body }) => expect(body).toMatchObject({ access_token: expect.any(String) }),
    }),
  },
  {
    operation: "register",
    title: "the first answer asks for authentication",
    route: "POST /_matrix/client/v3/register",
    expected: { status: 401 },
    prepare: async () => ({
      body: { username: unique("newcomer"), password },
      check: ({ body }) => expect(body).toMatchObject({ session: expect.any(String), flows: [{}] }),
    }),
  },
  {
    operation: "checkUsernameAvailability",
    route: "GET /_matrix/client/v3/register/available",
    prepare: async () => ({
      query: { username: unique("free") },
      check: ({ body }) => expect(body).toEqual({ available: true }),
    }),
  },
  {
    operation: "registrationTokenValidity",
    route: "GET /_matrix/client/v1/register/m.login.registration_token/validity",
    prepare: async () => ({
      query: { token: "there-is-none" },
      check: ({ body }) => expect(body).toEqual({ valid: false }),
    }),
  },
];
