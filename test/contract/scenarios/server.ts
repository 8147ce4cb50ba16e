import { expect } from "vitest";
import type { Scenario } from "../support/scenario.ts";

const notFound = { status: 404, errcode: "M_NOT_FOUND" };

export const serverScenarios: Scenario[] = [
  {
    operation: "getVersions",
    route: "GET /_matrix/client/versions",
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) => expect(body.versions).toContain("v1.19"),
    }),
  },
  {
    operation: "getCapabilities",
    route: "GET /_matrix/client/v3/capabilities",
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) =>
        expect(body.capabilities).toMatchObject({ "m.room_versions": { available: { 11: "stable" } } }),
    }),
  },
  {
    operation: "getWellknown",
    route: "GET /.well-known/matrix/client",
    prepare: async () => ({
      check: ({ body }) => expect(body["m.homeserver"]).toEqual({ base_url: "https://home.example" }),
    }),
  },
  {
    operation: "getWellknownSupport",
    route: "GET /.well-known/matrix/support",
    // The owner has named nobody.
    expected: notFound,
    prepare: async () => ({}),
  },
  {
    operation: "getWellknownPolicy",
    route: "GET /.well-known/matrix/policy_server",
    // This is no policy server.
    expected: notFound,
    prepare: async () => ({}),
  },
  ...[
    { operation: "getAuthMetadata", path: "v1/auth_metadata" },
    // As clients from before the spec had it ask: MSC2965.
    { path: "unstable/org.matrix.msc2965/auth_metadata" },
  ].map(
    ({ path, ...operation }): Scenario => ({
      ...operation,
      route: `GET /_matrix/client/${path}`,
      prepare: async () => ({
        check: ({ body }) =>
          expect(body).toMatchObject({
            response_types_supported: ["code"],
            code_challenge_methods_supported: ["S256"],
          }),
      }),
    }),
  ),
  {
    operation: "getTurnServer",
    route: "GET /_matrix/client/v3/voip/turnServer",
    departure: "without a TURN server the answer is empty, which clients take as there being none",
    prepare: async ({ person }) => ({ as: await person(), check: ({ body }) => expect(body).toEqual({}) }),
  },
  {
    route: "GET /_hearth/v1/health",
    prepare: async () => ({ check: ({ body }) => expect(body).toEqual({ ok: true }) }),
  },
  {
    route: "GET /_hearth/v1/info",
    prepare: async ({ serverName }) => ({
      check: ({ body }) => expect(body).toMatchObject({ server_name: serverName, version: "test" }),
    }),
  },
];
