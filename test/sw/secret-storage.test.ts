import { expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { testHome } from "./support/home.ts";

const secret = { encrypted: { key1: { iv: "iv", ciphertext: "c", mac: "m" } } };

/** @see https://spec.matrix.org/v1.19/client-server-api/#storage */
const stored: [type: string, content: JsonObject][] = [
  ["m.secret_storage.default_key", { key: "key1" }],
  [
    "m.secret_storage.key.key1",
    {
      name: "m.default",
      algorithm: "m.secret_storage.v1.aes-hmac-sha2",
      passphrase: { algorithm: "m.pbkdf2", salt: "s", iterations: 500_000, bits: 256 },
      iv: "iv",
      mac: "mac",
    },
  ],
  ["m.cross_signing.master", secret],
  ["m.cross_signing.self_signing", secret],
  ["m.cross_signing.user_signing", secret],
  ["m.megolm_backup.v1", secret],
  ["m.key_backup", { enabled: true }],
];

test("secrets that one device stores are read by the next, and told to it by sync", async () => {
  const { register, login } = await testHome();
  const phone = await register("alice");
  const other = await login("alice");
  const me = encodeURIComponent(phone.userId);
  const { next_batch } = (await other.ask("GET", "/sync")).body as { next_batch: string };
  for (const [type, content] of stored) {
    const path = `/user/${me}/account_data/${type}`;
    expect(await other.ask("GET", path)).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
    expect((await phone.ask("PUT", path, content)).body).toEqual({});
    expect((await other.ask("GET", path)).body).toEqual(content);
  }
  const events = stored.map(([type, content]) => ({ type, content }));
  const told = (await other.ask("GET", `/sync?since=${next_batch}`)).body;
  expect(told.account_data).toEqual({ events });
  // A secret is taken back by putting nothing in its place.
  await phone.ask("PUT", `/user/${me}/account_data/m.megolm_backup.v1`, {});
  expect((await other.ask("GET", `/user/${me}/account_data/m.megolm_backup.v1`)).body).toEqual({});
});

test("secrets are nobody else's, in a room as outside of it", async () => {
  const { register } = await testHome();
  const alice = await register("alice");
  const bob = await register("bob");
  const me = encodeURIComponent(alice.userId);
  const room = encodeURIComponent((await alice.ask("POST", "/createRoom", {})).body.room_id as string);
  for (const path of [`/user/${me}/account_data`, `/user/${me}/rooms/${room}/account_data`]) {
    await alice.ask("PUT", `${path}/m.megolm_backup.v1`, secret);
    expect((await alice.ask("GET", `${path}/m.megolm_backup.v1`)).body).toEqual(secret);
    for (const [method, body] of [["GET"], ["PUT", {}]] as const) {
      const refused = await bob.ask(method, `${path}/m.megolm_backup.v1`, body);
      expect(refused).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    }
  }
});
