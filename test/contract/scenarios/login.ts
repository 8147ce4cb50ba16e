import { expect } from "vitest";
import { password, v1, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

const whoami = `${v3}/account/whoami`;

export const loginScenarios: Scenario[] = [
  {
    operation: "getLoginFlows",
    route: "GET /_matrix/client/v3/login",
    prepare: async () => ({
      check: ({ body }) =>
        expect(body.flows).toEqual(
          expect.arrayContaining([expect.objectContaining({ type: "m.login.password" })]),
        ),
    }),
  },
  {
    operation: "login",
    route: "POST /_matrix/client/v3/login",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        body: {
          type: "m.login.password",
          identifier: { type: "m.id.user", user: alice.userId },
          password,
          device_id: "TABLET",
          initial_device_display_name: "A tablet",
          refresh_token: true,
        },
        check: async ({ body }) => {
          expect(body).toMatchObject({ user_id: alice.userId, device_id: "TABLET" });
          expect(await alice.get(`${v3}/devices/TABLET`)).toMatchObject({ display_name: "A tablet" });
        },
      };
    },
  },
  {
    operation: "login",
    title: "by a token of another device",
    route: "POST /_matrix/client/v3/login",
    prepare: async ({ person }) => {
      const alice = await person();
      const { login_token } = await alice.post(`${v1}/login/get_token`, { auth: alice.auth });
      return {
        body: { type: "m.login.token", token: login_token },
        check: ({ body }) => expect(body.user_id).toBe(alice.userId),
      };
    },
  },
  {
    operation: "generateLoginToken",
    route: "POST /_matrix/client/v1/login/get_token",
    prepare: async ({ person }) => {
      const alice = await person();
      return { as: alice, body: { auth: alice.auth } };
    },
  },
  {
    operation: "refresh",
    route: "POST /_matrix/client/v3/refresh",
    prepare: async ({ person, send }) => {
      const alice = await person({ refresh_token: true });
      return {
        body: { refresh_token: alice.refreshToken },
        check: async ({ body }) => {
          const token = body.access_token as string;
          expect((await send({ method: "GET", path: whoami, token })).body.user_id).toBe(alice.userId);
        },
      };
    },
  },
  {
    operation: "logout",
    route: "POST /_matrix/client/v3/logout",
    prepare: async ({ person }) => {
      const alice = await person();
      const other = await alice.login();
      return {
        as: alice,
        check: async () => {
          expect(await alice.status("GET", whoami)).toBe(401);
          expect(await other.status("GET", whoami)).toBe(200);
        },
      };
    },
  },
  {
    operation: "logout_all",
    route: "POST /_matrix/client/v3/logout/all",
    prepare: async ({ person }) => {
      const alice = await person();
      const other = await alice.login();
      return {
        as: alice,
        check: async () => {
          expect(await alice.status("GET", whoami)).toBe(401);
          expect(await other.status("GET", whoami)).toBe(401);
        },
      };
    },
  },
  // There is no single sign-on here: nothing to be sent on to.
  {
    operation: "redirectToSSO",
    route: "GET /_matrix/client/v3/login/sso/redirect",
    expected: { status: 404, errcode: "M_UNRECOGNIZED" },
    prepare: async () => ({ query: { redirectUrl: "https://app.example/" } }),
  },
  {
    operation: "redirectToIdP",
    route: "GET /_matrix/client/v3/login/sso/redirect/{idpId}",
    expected: { status: 404, errcode: "M_NOT_FOUND" },
    prepare: async () => ({ params: { idpId: "example" }, query: { redirectUrl: "https://app.example/" } }),
  },
];
