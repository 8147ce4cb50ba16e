import { expect } from "vitest";
import { v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

export const devicesScenarios: Scenario[] = [
  {
    operation: "getDevices",
    route: "GET /_matrix/client/v3/devices",
    prepare: async ({ person }) => {
      const alice = await person();
      const other = await alice.login();
      return {
        as: alice,
        check: ({ body }) => {
          const ids = (body.devices as { device_id: string }[]).map(({ device_id }) => device_id);
          expect(new Set(ids)).toEqual(new Set([alice.deviceId, other.deviceId]));
        },
      };
    },
  },
  {
    operation: "getDevice",
    route: "GET /_matrix/client/v3/devices/{deviceId}",
    prepare: async ({ person }) => {
      const alice = await person({ initial_device_display_name: "A phone" });
      return {
        as: alice,
        params: { deviceId: alice.deviceId },
        check: ({ body }) =>
          expect(body).toMatchObject({ device_id: alice.deviceId, display_name: "A phone" }),
      };
    },
  },
  {
    operation: "updateDevice",
    route: "PUT /_matrix/client/v3/devices/{deviceId}",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { deviceId: alice.deviceId },
        body: { display_name: "The kitchen" },
        check: async () =>
          expect(await alice.get(`${v3}/devices/${alice.deviceId}`)).toMatchObject({
            display_name: "The kitchen",
          }),
      };
    },
  },
  {
    operation: "deleteDevice",
    route: "DELETE /_matrix/client/v3/devices/{deviceId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const other = await alice.login();
      return {
        as: alice,
        params: { deviceId: other.deviceId },
        body: { auth: alice.auth },
        check: async () => expect(await alice.status("GET", `${v3}/devices/${other.deviceId}`)).toBe(404),
      };
    },
  },
  {
    operation: "deleteDevices",
    route: "POST /_matrix/client/v3/delete_devices",
    prepare: async ({ person }) => {
      const alice = await person();
      const [one, two] = [await alice.login(), await alice.login()];
      return {
        as: alice,
        body: { devices: [one.deviceId, two.deviceId], auth: alice.auth },
        check: async () =>
          expect(await alice.get(`${v3}/devices`)).toMatchObject({
            devices: [{ device_id: alice.deviceId }],
          }),
      };
    },
  },
];
