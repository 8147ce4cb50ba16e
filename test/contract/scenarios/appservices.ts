import { expect } from "vitest";
import type { Scenario } from "../support/scenario.ts";

/* A bridge to IRC is registered; see support/bridge.ts for what it knows. */

const lookup = (operation: string, path: string, query: Record<string, string>, found: string): Scenario => ({
  operation,
  route: `GET /_matrix/client/v3/thirdparty/${path}`,
  ignores: ["fields"],
  prepare: async ({ person, bridge }) => {
    await bridge();
    return {
      as: await person(),
      params: { protocol: "irc" },
      query,
      check: ({ body }) => expect(JSON.stringify(body)).toContain(found),
    };
  },
});

const unknown = (operation: string, path: string, params: Record<string, string>, query = {}): Scenario => ({
  operation,
  title: "what no service knows",
  route: `GET /_matrix/client/v3/thirdparty/${path}`,
  expected: { status: 404, errcode: "M_NOT_FOUND" },
  prepare: async ({ person }) => ({ as: await person(), params, query }),
});

const ping = "POST /_matrix/client/v1/appservice/{appserviceId}/ping";
const publish = "PUT /_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}";

export const appservicesScenarios: Scenario[] = [
  {
    operation: "getProtocols",
    route: "GET /_matrix/client/v3/thirdparty/protocols",
    prepare: async ({ person, bridge }) => {
      await bridge();
      return {
        as: await person(),
        check: ({ body }) => expect(body).toMatchObject({ irc: { instances: [{ network_id: "net" }] } }),
      };
    },
  },
  lookup("getProtocolMetadata", "protocol/{protocol}", {}, "A network"),
  lookup("queryLocationByProtocol", "location/{protocol}", { channel: "#garden" }, "#_irc_garden"),
  lookup("queryUserByProtocol", "user/{protocol}", { nick: "bob" }, "@_irc_bob"),
  lookup("queryLocationByAlias", "location", { alias: "#_irc_garden:example.org" }, "#garden"),
  {
    operation: "queryUserByID",
    route: "GET /_matrix/client/v3/thirdparty/user",
    prepare: async ({ person, bridge }) => ({
      as: await person(),
      query: { userid: (await bridge()).userId },
      check: ({ body }) => expect(body).toMatchObject([{ fields: { nick: "bob" } }]),
    }),
  },
  unknown("getProtocolMetadata", "protocol/{protocol}", { protocol: "fax" }),
  unknown("queryLocationByProtocol", "location/{protocol}", { protocol: "fax" }),
  unknown("queryUserByProtocol", "user/{protocol}", { protocol: "fax" }),
  unknown("queryLocationByAlias", "location", {}, { alias: "#garden:example.org" }),
  unknown("queryUserByID", "user", {}, { userid: "@bob:example.org" }),
  {
    operation: "pingAppservice",
    route: ping,
    prepare: async ({ bridge }) => ({
      as: await bridge(),
      params: { appserviceId: "bridge" },
      body: { transaction_id: "t1" },
      check: ({ body }) => expect(body.duration_ms).toBeGreaterThanOrEqual(0),
    }),
  },
  {
    operation: "pingAppservice",
    title: "with the token of a person",
    route: ping,
    expected: { status: 403, errcode: "M_FORBIDDEN" },
    prepare: async ({ person }) => ({ as: await person(), params: { appserviceId: "bridge" }, body: {} }),
  },
  {
    operation: "updateAppserviceRoomDirectoryVisibility",
    route: publish,
    prepare: async ({ person, bridge }) => ({
      as: await bridge(),
      params: { networkId: "net", roomId: await (await person()).room() },
      body: { visibility: "public" },
      check: ({ body }) => expect(body).toEqual({}),
    }),
  },
  {
    operation: "updateAppserviceRoomDirectoryVisibility",
    title: "with the token of a person",
    route: publish,
    expected: { status: 403, errcode: "M_FORBIDDEN" },
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { networkId: "net", roomId: await alice.room() },
        body: { visibility: "public" },
      };
    },
  },
];
