import { expect } from "vitest";
import type { Scenario } from "../support/scenario.ts";

/*
 * No application service is registered here: what asks for one by its name finds none.
 */

const notFound = { status: 404, errcode: "M_NOT_FOUND" };

const lookup = (operation: string, path: string, query: Record<string, string> = {}): Scenario => ({
  operation,
  route: `GET /_matrix/client/v3/thirdparty/${path}`,
  expected: notFound,
  ignores: ["fields"],
  prepare: async ({ person }) => ({
    as: await person(),
    params: { protocol: "irc" },
    query,
  }),
});

export const appservicesScenarios: Scenario[] = [
  {
    operation: "getProtocols",
    route: "GET /_matrix/client/v3/thirdparty/protocols",
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) => expect(body).toEqual({}),
    }),
  },
  lookup("getProtocolMetadata", "protocol/{protocol}"),
  lookup("queryLocationByProtocol", "location/{protocol}"),
  lookup("queryUserByProtocol", "user/{protocol}"),
  lookup("queryLocationByAlias", "location", { alias: "#garden:example.org" }),
  lookup("queryUserByID", "user", { userid: "@bob:example.org" }),
  {
    operation: "pingAppservice",
    route: "POST /_matrix/client/v1/appservice/{appserviceId}/ping",
    // A person's token is not that of the application service.
    expected: { status: 403, errcode: "M_FORBIDDEN" },
    prepare: async ({ person }) => ({
      as: await person(),
      params: { appserviceId: "irc" },
      body: { transaction_id: "t1" },
    }),
  },
  {
    operation: "updateAppserviceRoomDirectoryVisibility",
    route: "PUT /_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}",
    expected: { status: 403, errcode: "M_FORBIDDEN" },
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { networkId: "irc", roomId: await alice.room() },
        body: { visibility: "public" },
      };
    },
  },
];
