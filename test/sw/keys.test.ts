import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { crossSigningEndpoints } from "../../src/sw/cross-signing.ts";
import { dehydratedDeviceEndpoints } from "../../src/sw/dehydrated-device.ts";
import { deviceEndpoints } from "../../src/sw/devices.ts";
import { keysEndpoints } from "../../src/sw/keys.ts";
import { crossSigner, cryptoDevice } from "../worker-roomserver/support/crypto-device.ts";
import { testKeys } from "../worker-roomserver/support/keys.ts";
import { passwordAuth, register } from "../worker-roomserver/support/users.ts";
import { type Answer, asking } from "./support/ask.ts";
import { nodeDouble } from "./support/node-double.ts";

const endpoints = [
  ...keysEndpoints,
  ...crossSigningEndpoints,
  ...dehydratedDeviceEndpoints,
  ...deviceEndpoints,
];
const v3 = "/_matrix/client/v3";
const dehydratedDevice = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

async function home() {
  const { users, keys } = await testKeys();
  const login = await register(users, "alice", { device_id: "PHONE" });
  const token = login.access_token;
  const node = nodeDouble({
    users,
    keys,
    sync: { deviceLists: async (_, from, to) => ({ changed: [from], left: [to] }) },
  });
  const client = asking({ node, endpoints });
  const ask = (method: string, path: string, body?: JsonObject): Promise<Answer> =>
    client(method, path, { token, ...(body && { body }) });
  return { client, ask, userId: login.user_id, device: await cryptoDevice(login.user_id, "PHONE") };
}

test("keys are uploaded, looked up and claimed", async () => {
  const { ask, userId, device } = await home();
  const one_time_keys = await device.oneTimeKeys(1);
  const uploaded = await ask("POST", `${v3}/keys/upload`, { device_keys: device.deviceKeys, one_time_keys });
  expect(uploaded).toMatchObject({ status: 200, body: { one_time_key_counts: { signed_curve25519: 1 } } });
  const found = await ask("POST", `${v3}/keys/query`, { device_keys: { [userId]: [] }, timeout: 10_000 });
  expect(found).toMatchObject({
    status: 200,
    body: { device_keys: { [userId]: { PHONE: device.deviceKeys } } },
  });
  const wanted = { one_time_keys: { [userId]: { PHONE: "signed_curve25519" } } };
  expect(await ask("POST", `${v3}/keys/claim`, wanted)).toMatchObject({
    status: 200,
    body: { one_time_keys: { [userId]: { PHONE: one_time_keys } }, failures: {} },
  });
  expect((await ask("POST", `${v3}/keys/claim`, wanted)).body).toEqual({ one_time_keys: {}, failures: {} });
  expect(await ask("GET", `${v3}/keys/changes?from=h1&to=h2`)).toMatchObject({
    status: 200,
    body: { changed: ["h1"], left: ["h2"] },
  });
});

test("cross-signing keys need a password from the second time on", async () => {
  const { ask, userId, device } = await home();
  const signer = await crossSigner(userId);
  await ask("POST", `${v3}/keys/upload`, { device_keys: device.deviceKeys });
  expect(await ask("POST", `${v3}/keys/device_signing/upload`, signer.body)).toMatchObject({
    status: 200,
    body: {},
  });
  const signed = { [userId]: { PHONE: await signer.signDevice(device.deviceKeys), OTHER: {} } };
  expect(await ask("POST", `${v3}/keys/signatures/upload`, signed)).toMatchObject({
    status: 200,
    body: { failures: { [userId]: { OTHER: { errcode: "M_NOT_FOUND" } } } },
  });
  const { body } = await crossSigner(userId);
  const challenge = await ask("POST", `${v3}/keys/device_signing/upload`, body);
  expect(challenge).toMatchObject({ status: 401, body: { flows: [{ stages: ["m.login.password"] }] } });
  const auth = passwordAuth("alice", { session: challenge.body.session });
  const done = await ask("POST", `${v3}/keys/device_signing/upload`, { ...body, auth });
  expect(done).toMatchObject({ status: 200, body: {} });
});

test("a dehydrated device is put, found, listed and deleted", async () => {
  const { ask, userId } = await home();
  const { deviceKeys } = await cryptoDevice(userId, "DRY");
  const device_data = { algorithm: "org.matrix.msc3814.v2", nonce: "n" };
  const kept = { device_id: "DRY", device_data };
  expect(await ask("GET", dehydratedDevice)).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
  const put = await ask("PUT", dehydratedDevice, { ...kept, device_keys: deviceKeys });
  expect(put).toMatchObject({ status: 200, body: { device_id: "DRY" } });
  expect(await ask("GET", dehydratedDevice)).toMatchObject({ status: 200, body: kept });
  expect(await ask("GET", `${v3}/devices/DRY`)).toMatchObject({ status: 200, body: { dehydrated: true } });
  const events = await ask("POST", `${dehydratedDevice}/DRY/events?limit=5`, {});
  expect(events).toMatchObject({ status: 200, body: { events: [] } });
  const others = await ask("POST", `${dehydratedDevice}/PHONE/events`);
  expect(others).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
  expect(await ask("DELETE", dehydratedDevice)).toMatchObject({ status: 200, body: { device_id: "DRY" } });
  expect(await ask("DELETE", dehydratedDevice)).toMatchObject({ status: 404 });
});

describe("a body of the wrong shape is refused at the door:", () => {
  test.each<[method: string, path: string, body: JsonObject, errcode: string]>([
    ["POST", `${v3}/keys/upload`, { device_keys: [] }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/upload`, { one_time_keys: "a" }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/query`, {}, "M_MISSING_PARAM"],
    ["POST", `${v3}/keys/query`, { device_keys: { "@a:h": { PHONE: true } } }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/query`, { device_keys: { "@a:h": [1] } }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/query`, { device_keys: {}, timeout: "soon" }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/claim`, {}, "M_MISSING_PARAM"],
    ["POST", `${v3}/keys/claim`, { one_time_keys: { "@a:h": "PHONE" } }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/claim`, { one_time_keys: { "@a:h": { PHONE: 1 } } }, "M_BAD_JSON"],
    ["GET", `${v3}/keys/changes?from=h1`, {}, "M_MISSING_PARAM"],
    ["POST", `${v3}/keys/device_signing/upload`, { master_key: "a" }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/signatures/upload`, { "@a:h": [] }, "M_BAD_JSON"],
    ["POST", `${v3}/keys/signatures/upload`, { "@a:h": { PHONE: "a" } }, "M_BAD_JSON"],
    ["PUT", dehydratedDevice, { device_id: "DRY", device_data: {} }, "M_MISSING_PARAM"],
    ["PUT", dehydratedDevice, { device_data: {}, device_keys: {} }, "M_MISSING_PARAM"],
  ])("%s %s %j", async (method, path, body, errcode) => {
    const { ask } = await home();
    const answer = await ask(method, path, method === "GET" ? undefined : body);
    expect(answer).toMatchObject({ status: 400, body: { errcode } });
  });

  test("and so is who has no token", async () => {
    const { client } = await home();
    const calls: [method: string, path: string][] = [
      ["POST", `${v3}/keys/upload`],
      ["POST", `${v3}/keys/query`],
      ["POST", `${v3}/keys/claim`],
      ["GET", `${v3}/keys/changes`],
      ["POST", `${v3}/keys/device_signing/upload`],
      ["POST", `${v3}/keys/signatures/upload`],
      ["PUT", dehydratedDevice],
      ["GET", dehydratedDevice],
      ["DELETE", dehydratedDevice],
    ];
    const answers = await Promise.all(calls.map(([method, path]) => client(method, path)));
    expect(answers.map(({ status }) => status)).toEqual(calls.map(() => 401));
  });
});
