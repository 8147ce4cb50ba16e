import { expect } from "vitest";
import type { Answer } from "../support/homeserver.ts";
import { type Person, part, password, unique, v3, type World } from "../support/person.ts";
import type { Prepared, Scenario } from "../support/scenario.ts";

/* What the owner of a homeserver does under /_hearth/v1. */

const base = "/_hearth/v1";

const scenario = (
  route: Scenario["route"],
  prepare: (world: World) => Promise<Omit<Prepared, "as">>,
): Scenario => ({ route, prepare: async (world) => ({ as: world.owner, ...(await prepare(world)) }) });

const at = (body: Answer["body"], list: string) => body[list] as Record<string, unknown>[];

/** A login with a password, and how it is answered. */
async function loginStatus({ send }: World, user: string, secret: string): Promise<number> {
  const identifier = { type: "m.id.user", user };
  const body = { type: "m.login.password", identifier, password: secret };
  return (await send({ method: "POST", path: `${v3}/login`, body })).status;
}

async function uploaded({ send }: World, { token }: Person) {
  const sent = { method: "POST", path: "/_matrix/media/v3/upload", token, body: "a letter" };
  const uri = String((await send(sent)).body.content_uri);
  const [, , serverName = "", mediaId = ""] = uri.split("/");
  return { uri, params: { serverName, mediaId }, path: `${base}/media/${part(serverName)}/${mediaId}` };
}

const registered = async ({ owner }: World, options = {}) =>
  owner.post(`${base}/registration_tokens`, { token: unique("token"), ...options });

/** Another server, of which the owner knows by what relay it can be reached. */
async function knownServer({ owner }: World) {
  const serverName = `${unique("server")}.example`;
  const relays = ["https://relay.example"];
  await owner.put(`${base}/federation/destinations/${serverName}/relays`, { relays });
  return { serverName, relays };
}

/** @returns who complains */
async function reported({ person }: World): Promise<string> {
  const [alice, mallory] = [await person(), await person()];
  await alice.post(`${v3}/users/${part(mallory.userId)}/report`, { reason: "spam" });
  return alice.userId;
}

/** @returns the number of a report */
async function reportBy(world: World): Promise<string> {
  const by = await reported(world);
  const found = at(await world.owner.get(`${base}/reports`), "reports").find((report) => report.by === by);
  return String(found?.id);
}

const users: Scenario[] = [
  scenario(`GET ${base}/users`, async ({ person }) => {
    const { userId } = await person();
    return {
      query: { search: userId.slice(1), kind: "user", admin: "false" },
      check: ({ body }) => expect(at(body, "users").map(({ user_id }) => user_id)).toContain(userId),
    };
  }),
  scenario(`POST ${base}/users`, async (world) => {
    const username = unique("made");
    return {
      body: { username, password, displayname: "Made", admin: false },
      check: async ({ body }) => {
        expect(body).toMatchObject({ user_id: `@${username}:${world.serverName}`, displayname: "Made" });
        expect(await loginStatus(world, username, password)).toBe(200);
      },
    };
  }),
  scenario(`GET ${base}/users/{userId}`, async ({ person }) => {
    const { userId, deviceId } = await person();
    return {
      params: { userId },
      check: ({ body }) => {
        expect(body).toMatchObject({ user_id: userId, has_password: true, media: { files: 0 } });
        expect(at(body, "devices")).toMatchObject([{ device_id: deviceId }]);
      },
    };
  }),
  scenario(`PUT ${base}/users/{userId}`, async ({ person }) => {
    const alice = await person();
    return {
      params: { userId: alice.userId },
      body: { locked: true, suspended: false, admin: false },
      check: async ({ body }) => {
        expect(body).toMatchObject({ locked: true, admin: false });
        expect(await alice.status("GET", `${v3}/account/whoami`)).toBe(401);
      },
    };
  }),
  scenario(`PUT ${base}/users/{userId}/password`, async (world) => {
    const alice = await world.person();
    return {
      params: { userId: alice.userId },
      body: { password: "another horse", logout_devices: true },
      check: async () => {
        expect(await alice.status("GET", `${v3}/account/whoami`)).toBe(401);
        expect(await loginStatus(world, alice.userId, "another horse")).toBe(200);
        expect(await loginStatus(world, alice.userId, password)).toBe(403);
      },
    };
  }),
  scenario(`POST ${base}/users/{userId}/deactivate`, async (world) => {
    const alice = await world.person();
    return {
      params: { userId: alice.userId },
      body: { erase: true },
      check: async () => expect(await loginStatus(world, alice.userId, password)).toBe(403),
    };
  }),
  scenario(`DELETE ${base}/users/{userId}/devices`, async ({ person }) => {
    const alice = await person();
    const other = await alice.login();
    return {
      params: { userId: alice.userId },
      check: async () => {
        expect(await alice.status("GET", `${v3}/account/whoami`)).toBe(401);
        expect(await other.status("GET", `${v3}/account/whoami`)).toBe(401);
      },
    };
  }),
  scenario(`DELETE ${base}/users/{userId}/devices/{deviceId}`, async ({ person }) => {
    const alice = await person();
    const { deviceId } = await alice.login();
    return {
      params: { userId: alice.userId, deviceId },
      check: async () =>
        expect(at(await alice.get(`${v3}/devices`), "devices")).toMatchObject([
          { device_id: alice.deviceId },
        ]),
    };
  }),
  scenario(`GET ${base}/users/{userId}/rooms`, async ({ person }) => {
    const alice = await person();
    const roomId = await alice.room();
    return {
      params: { userId: alice.userId },
      check: ({ body }) => expect(body).toEqual({ rooms: [{ room_id: roomId, membership: "join" }] }),
    };
  }),
];

const rooms: Scenario[] = [
  scenario(`GET ${base}/rooms`, async ({ person }) => {
    const name = unique("garden");
    const roomId = await (await person()).room({ name });
    return {
      query: { search: name, order_by: "events", dir: "b" },
      check: ({ body }) => {
        expect(body).toMatchObject({ total: 1, rooms: [{ room_id: roomId, name, joined_members: 1 }] });
        expect(body).not.toHaveProperty("next_batch");
      },
    };
  }),
  scenario(`GET ${base}/rooms/{roomId}`, async ({ person, serverName }) => {
    const alice = await person();
    const roomId = await alice.room({ topic: "plants" });
    return {
      params: { roomId },
      check: ({ body }) =>
        expect(body).toMatchObject({
          ...{ room_id: roomId, topic: "plants", creator: alice.userId, published: false },
          servers: [{ server_name: serverName, joined_members: 1 }],
          forward_extremities: [expect.stringMatching(/^\$/)],
        }),
    };
  }),
  scenario(`GET ${base}/rooms/{roomId}/events`, async ({ person }) => {
    const alice = await person();
    const roomId = await alice.room();
    const eventId = await alice.say(roomId);
    return {
      params: { roomId },
      query: { limit: "1" },
      check: ({ body }) =>
        expect(body).toMatchObject({
          events: [{ event_id: eventId, type: "m.room.message", status: "accepted" }],
          forward_extremities: [eventId],
          next_batch: expect.any(String),
        }),
    };
  }),
  scenario(`GET ${base}/rooms/{roomId}/events/{eventId}/state`, async ({ person }) => {
    const alice = await person();
    const roomId = await alice.room({ name: "before" });
    const { event_id } = await alice.setState(roomId, "m.room.name", { name: "after" });
    return {
      params: { roomId, eventId: event_id as string },
      query: { limit: "1" },
      check: ({ body }) =>
        expect(at(body, "state")).toMatchObject([
          { changed: true, before: { content: { name: "before" } }, after: { content: { name: "after" } } },
        ]),
    };
  }),
  scenario(`PUT ${base}/rooms/{roomId}/published`, async ({ person }) => {
    const alice = await person();
    const roomId = await alice.room();
    return {
      params: { roomId },
      body: { published: true },
      check: async () =>
        expect(await alice.get(`${v3}/directory/list/room/${part(roomId)}`)).toEqual({
          visibility: "public",
        }),
    };
  }),
  scenario(`PUT ${base}/aliases/{alias}`, async ({ person, serverName }) => {
    const alice = await person();
    const roomId = await alice.room();
    const alias = `#${unique("alias")}:${serverName}`;
    return {
      params: { alias },
      body: { room_id: roomId },
      check: async () =>
        expect(await alice.get(`${v3}/directory/room/${part(alias)}`)).toMatchObject({ room_id: roomId }),
    };
  }),
  scenario(`DELETE ${base}/aliases/{alias}`, async ({ person, serverName }) => {
    const alice = await person();
    const name = unique("alias");
    await alice.room({ room_alias_name: name });
    const alias = `#${name}:${serverName}`;
    return {
      params: { alias },
      check: async () => expect(await alice.status("GET", `${v3}/directory/room/${part(alias)}`)).toBe(404),
    };
  }),
  scenario(`GET ${base}/rooms/{roomId}/media`, async (world) => {
    const alice = await world.person();
    const roomId = await alice.room();
    const { uri } = await uploaded(world, alice);
    const eventId = await alice.say(roomId, { msgtype: "m.image", body: "a", url: uri });
    await alice.say(roomId);
    return {
      params: { roomId },
      check: ({ body }) => expect(at(body, "media")).toMatchObject([{ event_id: eventId, uris: [uri] }]),
    };
  }),
  scenario(`POST ${base}/rooms/{roomId}/purge`, async ({ person }) => {
    const roomId = await (await person()).room();
    return {
      params: { roomId },
      body: { leave: true },
      check: ({ body }) => expect(body).toEqual({ status: "leaving" }),
    };
  }),
  scenario(`GET ${base}/rooms/{roomId}/purge`, async ({ person }) => {
    const roomId = await (await person()).room();
    return { params: { roomId }, check: ({ body }) => expect(body).toEqual({ status: "none" }) };
  }),
];

const media: Scenario[] = [
  scenario(`GET ${base}/media`, async (world) => {
    const alice = await world.person();
    const { params } = await uploaded(world, alice);
    return {
      query: { user_id: alice.userId },
      check: ({ body }) =>
        expect(at(body, "media")).toMatchObject([
          { media_id: params.mediaId, user_id: alice.userId, size: 8 },
        ]),
    };
  }),
  scenario(`GET ${base}/media/totals`, async (world) => {
    await uploaded(world, await world.person());
    return {
      check: ({ body }) => {
        expect(body.local_files).toBeGreaterThan(0);
        expect(body).toMatchObject({ limits: { upload_bytes: expect.any(Number) } });
      },
    };
  }),
  scenario(`GET ${base}/media/usage`, async (world) => {
    const alice = await world.person();
    await uploaded(world, alice);
    return {
      query: { limit: "500" },
      check: ({ body }) =>
        expect(at(body, "usage")).toContainEqual({ user_id: alice.userId, bytes: 8, files: 1 }),
    };
  }),
  scenario(`GET ${base}/media/{serverName}/{mediaId}`, async (world) => {
    const { params } = await uploaded(world, await world.person());
    return {
      params,
      check: ({ body }) => expect(body).toMatchObject({ media_id: params.mediaId, is_protected: false }),
    };
  }),
  scenario(`DELETE ${base}/media/{serverName}/{mediaId}`, async (world) => {
    const { params, path } = await uploaded(world, await world.person());
    return { params, check: async () => expect(await world.owner.status("GET", path)).toBe(404) };
  }),
  ...(["quarantined", "protected"] as const).map((name) =>
    scenario(`PUT ${base}/media/{serverName}/{mediaId}/${name}`, async (world) => {
      const { params, path } = await uploaded(world, await world.person());
      return {
        params,
        body: { [name]: true },
        check: async () => expect(await world.owner.get(path)).toMatchObject({ [`is_${name}`]: true }),
      };
    }),
  ),
  scenario(`POST ${base}/media/purge_remote`, async () => ({
    body: { before_ts: 1 },
    check: ({ body }) => expect(body).toEqual({ files: 0, bytes: 0 }),
  })),
];

const tokens = `${base}/registration_tokens` as const;
const registrationTokens: Scenario[] = [
  scenario(`GET ${tokens}`, async (world) => {
    const made = await registered(world);
    return { check: ({ body }) => expect(at(body, "registration_tokens")).toContainEqual(made) };
  }),
  scenario(`POST ${tokens}`, async () => {
    const token = unique("token");
    return {
      body: { token, uses_allowed: 3, expiry_time: null },
      check: ({ body }) => expect(body).toEqual({ token, uses_allowed: 3, completed: 0, expiry_time: null }),
    };
  }),
  scenario(`GET ${tokens}/{token}`, async (world) => {
    const made = await registered(world);
    return { params: { token: made.token as string }, check: ({ body }) => expect(body).toEqual(made) };
  }),
  scenario(`PUT ${tokens}/{token}`, async (world) => {
    const made = await registered(world, { uses_allowed: 1 });
    return {
      params: { token: made.token as string },
      body: { uses_allowed: null, expiry_time: 5 },
      check: ({ body }) => expect(body).toEqual({ ...made, uses_allowed: null, expiry_time: 5 }),
    };
  }),
  scenario(`DELETE ${tokens}/{token}`, async (world) => {
    const token = (await registered(world)).token as string;
    return {
      params: { token },
      check: async () => expect(await world.owner.status("GET", `${tokens}/${token}`)).toBe(404),
    };
  }),
];

const others: Scenario[] = [
  scenario(`GET ${base}/reports`, async (world) => {
    const by = await reported(world);
    return {
      query: { from: "999999999999" },
      check: ({ body }) => expect(at(body, "reports")).toContainEqual(expect.objectContaining({ by })),
    };
  }),
  scenario(`GET ${base}/reports/{reportId}`, async (world) => {
    const reportId = await reportBy(world);
    return {
      params: { reportId },
      check: ({ body }) => expect(body).toMatchObject({ id: Number(reportId), reason: "spam" }),
    };
  }),
  scenario(`DELETE ${base}/reports/{reportId}`, async (world) => {
    const reportId = await reportBy(world);
    return {
      params: { reportId },
      check: async () => expect(await world.owner.status("GET", `${base}/reports/${reportId}`)).toBe(404),
    };
  }),
  scenario(`GET ${base}/app_services`, async ({ bridge }) => {
    const sender = (await bridge()).userId;
    return {
      check: ({ body, text }) => {
        expect(at(body, "app_services")).toContainEqual(expect.objectContaining({ id: "bridge", sender }));
        expect(text).not.toContain("_token_of_");
      },
    };
  }),
  scenario(`POST ${base}/app_services`, async () => {
    const id = unique("service");
    const yaml = `id: ${id}\nurl: null\nas_token: ${id}-as-token-of-some-length\nhs_token: ${id}-hs-token-of-some-length\nsender_localpart: ${id}\nnamespaces: {}\n`;
    return { body: yaml, check: ({ body }) => expect(body).toMatchObject({ id, url: null, failing: null }) };
  }),
  scenario(`GET ${base}/app_services/{serviceId}`, async ({ bridge }) => {
    await bridge();
    return {
      params: { serviceId: "bridge" },
      check: ({ body }) => expect(body).toMatchObject({ id: "bridge", protocols: ["irc"] }),
    };
  }),
  scenario(`DELETE ${base}/app_services/{serviceId}`, async ({ owner, send }) => {
    const serviceId = unique("service");
    const body = JSON.stringify({
      ...{ id: serviceId, url: null, sender_localpart: serviceId, namespaces: {} },
      as_token: `${serviceId}-as-token-of-some-length`,
      hs_token: `${serviceId}-hs-token-of-some-length`,
    });
    await send({ method: "POST", path: `${base}/app_services`, token: owner.token, body });
    return {
      params: { serviceId },
      check: async () => expect(await owner.status("GET", `${base}/app_services/${serviceId}`)).toBe(404),
    };
  }),
  scenario(`POST ${base}/app_services/{serviceId}/ping`, async ({ bridge }) => {
    await bridge();
    return {
      params: { serviceId: "bridge" },
      check: ({ body }) => expect(body.duration_ms).toBeGreaterThanOrEqual(0),
    };
  }),
  scenario(`GET ${base}/settings`, async () => ({
    check: ({ body }) => expect(body).toMatchObject({ registration: "open", turn: null }),
  })),
  scenario(`PUT ${base}/settings`, async () => ({
    // What other scenarios go by stays as it is.
    body: { support: null },
    check: ({ body }) => expect(body).toMatchObject({ registration: "open", support: null }),
  })),
  scenario(`GET ${base}/statistics`, async ({ person }) => {
    await (await person()).room();
    return {
      check: ({ body }) => {
        expect(body.rooms).toBeGreaterThan(0);
        expect(body).toMatchObject({ users: { admins: 1 } });
      },
    };
  }),
  scenario(`GET ${base}/statistics/requests`, async () => ({
    check: ({ body }) =>
      expect(at(body, "classes")).toContainEqual(
        expect.objectContaining({
          class: "register",
          statuses: expect.objectContaining({ 200: expect.any(Number) }),
        }),
      ),
  })),
  scenario(`GET ${base}/log`, async ({ person }) => {
    await (await person()).room();
    return {
      check: ({ body }) => {
        expect(body.end).toBeGreaterThan(0);
        expect(at(body, "readers").map(({ name }) => name)).toContain("push");
      },
    };
  }),
  scenario(`GET ${base}/log/entries`, async ({ owner, person }) => {
    const { end } = await owner.get(`${base}/log`);
    const alice = await person();
    const roomId = await alice.room();
    return {
      query: { after: String(end), topic: "room", timeout: "0" },
      check: ({ body }) =>
        expect(at(body, "entries")).toContainEqual(
          expect.objectContaining({ topic: "room", room_id: roomId, user_id: alice.userId }),
        ),
    };
  }),
  scenario(`GET ${base}/federation/destinations`, async (world) => {
    const { serverName, relays } = await knownServer(world);
    return {
      check: ({ body }) =>
        expect(at(body, "destinations")).toContainEqual(
          expect.objectContaining({ server_name: serverName, failures: 0, waiting_pdus: 0, relays }),
        ),
    };
  }),
  scenario(`POST ${base}/federation/destinations/{serverName}/retry`, async (world) => {
    const { serverName } = await knownServer(world);
    return { params: { serverName }, body: {}, check: ({ body }) => expect(body).toEqual({}) };
  }),
  scenario(`PUT ${base}/federation/destinations/{serverName}/relays`, async ({ owner }) => ({
    params: { serverName: "other.example" },
    body: { relays: ["https://relay.example"] },
    check: async () => {
      const { destinations } = await owner.get(`${base}/federation/destinations`);
      expect(destinations).toContainEqual(
        expect.objectContaining({ server_name: "other.example", relays: ["https://relay.example"] }),
      );
    },
  })),
  {
    route: `GET ${base}/openapi.json`,
    prepare: async () => ({ check: ({ body }) => expect(body).toMatchObject({ openapi: "3.1.0" }) }),
  },
];

export const consoleScenarios: Scenario[] = [...users, ...rooms, ...media, ...registrationTokens, ...others];
