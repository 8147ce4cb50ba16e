import { expect } from "vitest";
import { type Person, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";
import { deviceKeys } from "./keys.ts";

/* A device that is kept on the homeserver while its user has no other: MSC3814, which is not in the spec. */

const path = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";
const device = { device_id: "DRY", device_data: { algorithm: "org.example.dry", device_pickle: "cGlja2xl" } };
const bodyOf = async ({ userId }: Person) => ({
  ...device,
  device_keys: await deviceKeys({ userId, deviceId: device.device_id }),
  initial_device_display_name: "Dry",
});

export const dehydratedDeviceScenarios: Scenario[] = [
  {
    route: `PUT ${path}`,
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        body: await bodyOf(alice),
        check: async () => expect(await alice.get(path)).toEqual(device),
      };
    },
  },
  {
    route: `GET ${path}`,
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.put(path, await bodyOf(alice));
      return { as: alice, check: ({ body }) => expect(body).toEqual(device) };
    },
  },
  {
    route: `DELETE ${path}`,
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.put(path, await bodyOf(alice));
      return { as: alice, check: async () => expect(await alice.status("GET", path)).toBe(404) };
    },
  },
  {
    route: `POST ${path}/{deviceId}/events`,
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      await alice.put(path, await bodyOf(alice));
      const content = { ciphertext: "psst" };
      await bob.put(`${v3}/sendToDevice/m.room.encrypted/t1`, {
        messages: { [alice.userId]: { [device.device_id]: content } },
      });
      return {
        as: alice,
        params: { deviceId: device.device_id },
        body: {},
        check: ({ body }) =>
          expect(body.events).toEqual([{ type: "m.room.encrypted", sender: bob.userId, content }]),
      };
    },
  },
];
