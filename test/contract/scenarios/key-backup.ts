import { expect } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { type Person, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

const algorithm = "m.megolm_backup.v1.curve25519-aes-sha2";
const authData = { public_key: `${"p".repeat(42)}A`, signatures: {} };
const version = `${v3}/room_keys/version`;

/** A session's key as a device encrypts it for its backup. */
const backedUp = (more: JsonObject = {}): JsonObject => ({
  first_message_index: 1,
  forwarded_count: 0,
  is_verified: true,
  session_data: { ephemeral: `${"e".repeat(42)}A`, ciphertext: "Y2lwaGVy", mac: "bWFjbWFjbWE" },
  ...more,
});

const roomId = "!garden:example.org";
const sessionId = "c2Vzc2lvbg";
const keys = `${v3}/room_keys/keys`;

async function backup(alice: Person): Promise<string> {
  return (await alice.post(version, { algorithm, auth_data: authData })).version as string;
}

async function filled(alice: Person): Promise<string> {
  const made = await backup(alice);
  const rooms = { [roomId]: { sessions: { [sessionId]: backedUp() } } };
  await alice.put(`${keys}?version=${made}`, { rooms });
  return made;
}

type Level = { suffix: string; path: string; body: JsonObject };
/** Keys are read, written and deleted all at once, by room, or one by one. */
const levels: Level[] = [
  { suffix: "", path: "", body: { rooms: { [roomId]: { sessions: { [sessionId]: backedUp() } } } } },
  { suffix: "ByRoomId", path: "/{roomId}", body: { sessions: { [sessionId]: backedUp() } } },
  { suffix: "BySessionId", path: "/{roomId}/{sessionId}", body: backedUp() },
];

const ofLevel = ({ suffix, path, body }: Level): Scenario[] => {
  const named = suffix === "BySessionId" ? "RoomKey" : "RoomKeys";
  const params = { roomId, sessionId };
  return [
    {
      operation: `get${named}${suffix}`,
      route: `GET /_matrix/client/v3/room_keys/keys${path}`,
      prepare: async ({ person }) => {
        const alice = await person();
        return {
          as: alice,
          params,
          query: { version: await filled(alice) },
          check: (answer) => expect(answer.body).toEqual(body),
        };
      },
    },
    {
      operation: `put${named}${suffix}`,
      route: `PUT /_matrix/client/v3/room_keys/keys${path}`,
      prepare: async ({ person }) => {
        const alice = await person();
        const made = await backup(alice);
        return {
          as: alice,
          params,
          query: { version: made },
          body,
          check: async (answer) => {
            expect(answer.body.count).toBe(1);
            expect(await alice.get(`${keys}?version=${made}`)).toEqual(levels[0]!.body);
          },
        };
      },
    },
    {
      operation: `delete${named}${suffix}`,
      route: `DELETE /_matrix/client/v3/room_keys/keys${path}`,
      prepare: async ({ person }) => {
        const alice = await person();
        const made = await filled(alice);
        return {
          as: alice,
          params,
          query: { version: made },
          check: async (answer) => {
            expect(answer.body.count).toBe(0);
            expect(await alice.get(`${version}/${made}`)).toMatchObject({ count: 0 });
          },
        };
      },
    },
  ];
};

export const keyBackupScenarios: Scenario[] = [
  {
    operation: "postRoomKeysVersion",
    route: "POST /_matrix/client/v3/room_keys/version",
    // It is the devices that know algorithms.
    open: ["algorithm"],
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        body: { algorithm, auth_data: authData },
        check: async ({ body }) =>
          expect(await alice.get(version)).toMatchObject({
            version: body.version,
            auth_data: authData,
            count: 0,
          }),
      };
    },
  },
  {
    operation: "getRoomKeysVersionCurrent",
    route: "GET /_matrix/client/v3/room_keys/version",
    prepare: async ({ person }) => {
      const alice = await person();
      await backup(alice);
      const newest = await filled(alice);
      return {
        as: alice,
        check: ({ body }) => expect(body).toMatchObject({ version: newest, algorithm, count: 1 }),
      };
    },
  },
  {
    operation: "getRoomKeysVersion",
    route: "GET /_matrix/client/v3/room_keys/version/{version}",
    prepare: async ({ person }) => {
      const alice = await person();
      const older = await filled(alice);
      await backup(alice);
      return {
        as: alice,
        params: { version: older },
        check: ({ body }) => expect(body).toMatchObject({ version: older, count: 1 }),
      };
    },
  },
  {
    operation: "putRoomKeysVersion",
    route: "PUT /_matrix/client/v3/room_keys/version/{version}",
    open: ["algorithm"],
    prepare: async ({ person }) => {
      const alice = await person();
      const made = await backup(alice);
      const signed = { ...authData, signatures: { [alice.userId]: { "ed25519:A": "c2ln" } } };
      return {
        as: alice,
        params: { version: made },
        body: { algorithm, auth_data: signed, version: made },
        check: async () => expect(await alice.get(version)).toMatchObject({ auth_data: signed }),
      };
    },
  },
  {
    operation: "deleteRoomKeysVersion",
    route: "DELETE /_matrix/client/v3/room_keys/version/{version}",
    prepare: async ({ person }) => {
      const alice = await person();
      const made = await backup(alice);
      return {
        as: alice,
        params: { version: made },
        check: async () => expect(await alice.status("GET", version)).toBe(404),
      };
    },
  },
  ...levels.flatMap(ofLevel),
];
