import { expect } from "vitest";
import { part, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

export const presenceScenarios: Scenario[] = [
  {
    operation: "getPresence",
    route: "GET /_matrix/client/v3/presence/{userId}/status",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      await bob.join(await alice.room());
      await bob.put(`${v3}/presence/${part(bob.userId)}/status`, {
        presence: "online",
        status_msg: "weeding",
      });
      return {
        as: alice,
        params: { userId: bob.userId },
        check: ({ body }) => expect(body).toMatchObject({ presence: "online", status_msg: "weeding" }),
      };
    },
  },
  {
    operation: "setPresence",
    route: "PUT /_matrix/client/v3/presence/{userId}/status",
    prepare: async ({ person }) => {
      const alice = await person();
      const path = `${v3}/presence/${part(alice.userId)}/status`;
      return {
        as: alice,
        params: { userId: alice.userId },
        body: { presence: "unavailable", status_msg: "asleep" },
        check: async () =>
          expect(await alice.get(path)).toMatchObject({ presence: "unavailable", status_msg: "asleep" }),
      };
    },
  },
];
