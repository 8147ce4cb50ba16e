import { expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { testHome } from "./support/home.ts";

const algorithm = "m.megolm_backup.v1.curve25519-aes-sha2";
const auth_data = { public_key: "abc", signatures: { "@a:h": { "ed25519:D": "sig" } } };
const data = (changes: JsonObject = {}): JsonObject => ({
  first_message_index: 1,
  forwarded_count: 0,
  is_verified: true,
  session_data: { ephemeral: "e", ciphertext: "c", mac: "m" },
  ...changes,
});

async function start() {
  const home = await testHome();
  const { ask, userId } = await home.register("alice");
  const created = await ask("POST", "/room_keys/version", { algorithm, auth_data });
  expect(created).toMatchObject({ status: 200, body: { version: "1" } });
  return { home, ask, userId };
}

test("a backup from its making to its end, as clients use it", async () => {
  const { home, ask } = await start();
  const info = { algorithm, auth_data, version: "1", count: 0, etag: "0" };
  expect((await ask("GET", "/room_keys/version")).body).toEqual(info);
  expect((await ask("GET", "/room_keys/version/1")).body).toEqual(info);

  const sessions = { s1: data(), "s/2": data({ forwarded_count: 3 }) };
  const all = { rooms: { "!a:h": { sessions }, "!b:h": { sessions: { s3: data() } } } };
  expect((await ask("PUT", "/room_keys/keys?version=1", all)).body).toEqual({ count: 3, etag: "1" });
  const room = encodeURIComponent("!c:h");
  const put = await ask("PUT", `/room_keys/keys/${room}?version=1`, { sessions: { s4: data() } });
  expect(put.body).toEqual({ count: 4, etag: "2" });
  const one = await ask("PUT", `/room_keys/keys/${room}/s%2F5?version=1`, data());
  expect(one.body).toEqual({ count: 5, etag: "3" });

  // Another device of the same user reads it all.
  const other = await home.login("alice");
  expect((await other.ask("GET", "/room_keys/keys?version=1")).body).toEqual({
    rooms: { ...all.rooms, "!c:h": { sessions: { s4: data(), "s/5": data() } } },
  });
  expect((await ask("GET", `/room_keys/keys/${room}?version=1`)).body).toEqual({
    sessions: { s4: data(), "s/5": data() },
  });
  const read = await ask("GET", `/room_keys/keys/${room}/s%2F5?version=1`);
  expect(read.body).toEqual(data());
  expect(read.headers.get("Content-Type")).toBe("application/json");

  const gone = await ask("DELETE", `/room_keys/keys/${room}/s4?version=1`);
  expect(gone.body).toEqual({ count: 4, etag: "4" });
  expect((await ask("DELETE", `/room_keys/keys/${room}?version=1`)).body).toEqual({ count: 3, etag: "5" });
  expect((await ask("DELETE", "/room_keys/keys?version=1")).body).toEqual({ count: 0, etag: "6" });
  const changed = { ...auth_data, more: 1 };
  expect((await ask("PUT", "/room_keys/version/1", { algorithm, auth_data: changed })).body).toEqual({});
  expect((await ask("GET", "/room_keys/version")).body).toMatchObject({ auth_data: changed, etag: "6" });
  for (let i = 0; i < 2; i++) {
    expect(await ask("DELETE", "/room_keys/version/1")).toMatchObject({ status: 200, body: {} });
  }
  expect(await ask("GET", "/room_keys/version")).toMatchObject({
    status: 404,
    body: { errcode: "M_NOT_FOUND" },
  });
});

test("keys for a version that is not the current one are refused, and the answer names that one", async () => {
  const { ask } = await start();
  await ask("POST", "/room_keys/version", { algorithm, auth_data });
  for (const [path, body] of [
    ["/room_keys/keys", { rooms: {} }],
    ["/room_keys/keys/!r:h", { sessions: {} }],
    ["/room_keys/keys/!r:h/s", data()],
  ] as const) {
    expect(await ask("PUT", `${path}?version=1`, body)).toMatchObject({
      status: 403,
      body: { errcode: "M_WRONG_ROOM_KEYS_VERSION", current_version: "2" },
    });
  }
});

test.each<[method: string, path: string, body: JsonObject | undefined, errcode: string]>([
  ["POST", "/room_keys/version", { auth_data }, "M_MISSING_PARAM"],
  ["POST", "/room_keys/version", { algorithm }, "M_MISSING_PARAM"],
  ["POST", "/room_keys/version", { algorithm: 5, auth_data }, "M_BAD_JSON"],
  ["PUT", "/room_keys/version/1", { algorithm, auth_data, version: "2" }, "M_INVALID_PARAM"],
  ["PUT", "/room_keys/version/1", { algorithm: "other", auth_data }, "M_INVALID_PARAM"],
  ["PUT", "/room_keys/keys", { rooms: {} }, "M_MISSING_PARAM"],
  ["PUT", "/room_keys/keys?version=1", {}, "M_MISSING_PARAM"],
  ["PUT", "/room_keys/keys?version=1", { rooms: { "!r:h": {} } }, "M_MISSING_PARAM"],
  ["PUT", "/room_keys/keys?version=1", { rooms: { "!r:h": { sessions: { s: 1 } } } }, "M_BAD_JSON"],
  ["PUT", "/room_keys/keys/!r:h?version=1", { sessions: { s: data({ is_verified: "yes" }) } }, "M_BAD_JSON"],
  ["PUT", "/room_keys/keys/!r:h/s?version=1", data({ first_message_index: -1 }), "M_BAD_JSON"],
  ["PUT", "/room_keys/keys/!r:h/s?version=1", data({ forwarded_count: 1.5 }), "M_BAD_JSON"],
  ["PUT", "/room_keys/keys/!r:h/s?version=1", data({ session_data: [] }), "M_BAD_JSON"],
  ["GET", "/room_keys/keys", undefined, "M_MISSING_PARAM"],
  ["DELETE", "/room_keys/keys/!r:h/s", undefined, "M_MISSING_PARAM"],
])("%s %s with %j is refused", async (method, path, body, errcode) => {
  const { ask } = await start();
  expect(await ask(method, path, body)).toMatchObject({ status: 400, body: { errcode } });
  expect((await ask("GET", "/room_keys/version")).body).toMatchObject({ version: "1", count: 0, etag: "0" });
});

test("what is missing in a key is named with its room and session", async () => {
  const { ask } = await start();
  const { is_verified: _, ...lacking } = data();
  const { body } = await ask("PUT", "/room_keys/keys?version=1", {
    rooms: { "!r:h": { sessions: { ok: data(), s: lacking } } },
  });
  expect(body).toEqual({
    errcode: "M_MISSING_PARAM",
    error: '"rooms.!r:h.sessions.s.is_verified" is missing.',
  });
  expect((await ask("GET", "/room_keys/keys?version=1")).body).toEqual({ rooms: {} });
});

test("a thousand keys at once", async () => {
  const { ask } = await start();
  const sessions = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`s${i}`, data()]));
  const put = await ask("PUT", "/room_keys/keys?version=1", { rooms: { "!r:h": { sessions } } });
  expect(put.body).toEqual({ count: 1_000, etag: "1" });
  expect((await ask("GET", "/room_keys/keys/!r:h?version=1")).body).toEqual({ sessions });
});

test("a backup goes with its account", async () => {
  const { home, ask, userId } = await start();
  await ask("PUT", "/room_keys/keys/!r:h/s?version=1", data());
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password: "correct horse battery",
  };
  expect((await ask("POST", "/account/deactivate", { auth })).status).toBe(200);
  expect(await home.node.storage.getAllKeys("keyBackups")).toEqual([]);
  expect(await home.node.storage.getAllKeys("keyBackupSessions")).toEqual([]);
});
