import { expect, test } from "vitest";
import {
  checkDeviceKeys,
  ed25519Key,
  signaturesOf,
  signedText,
  withOwnSignatures,
} from "../../src/matrix/device-keys.ts";
import { nobleEd25519 } from "../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { cryptoDevice } from "../worker-roomserver/support/crypto-device.ts";

const alice = "@alice:example.com";

test("device keys are kept as they came, but for unsigned and the signatures of others", async () => {
  const { deviceKeys } = await cryptoDevice(alice, "PHONE");
  const signatures = deviceKeys.signatures as JsonObject;
  const more = {
    ...deviceKeys,
    unsigned: { x: 1 },
    signatures: { ...signatures, "@bob:h": { "ed25519:a": "b" } },
  };
  expect(await checkDeviceKeys(more, alice, "PHONE", nobleEd25519())).toEqual(deviceKeys);
});

test("what is signed of a key does not depend on who has signed it, nor on the order of its members", () => {
  const key = { user_id: alice, usage: ["master"], keys: { a: "b" } };
  const signed = {
    keys: { a: "b" },
    signatures: { [alice]: { a: "b" } },
    unsigned: {},
    usage: ["master"],
    user_id: alice,
  };
  expect(signedText(signed)).toBe(signedText(key));
  expect(signedText({ ...key, usage: [] })).not.toBe(signedText(key));
});

test("signatures are read only where there are some, and only the user's own are kept", () => {
  const of = (signatures: JsonObject[string]) => [...signaturesOf({ signatures }, alice)];
  for (const signatures of [
    undefined,
    null,
    [],
    "a",
    { [alice]: [] },
    { [alice]: { a: 1 } },
    { "@b:h": { a: "b" } },
  ]) {
    expect(of(signatures)).toEqual([]);
    expect(withOwnSignatures({ x: 1, signatures }, alice)).toEqual({ x: 1 });
  }
  expect(of({ [alice]: { "ed25519:A": "s", b: 1 } })).toEqual([["ed25519:A", "s"]]);
  expect([...signaturesOf({ signatures: {} }, "__proto__")]).toEqual([]);
});

test.each<[text: JsonObject[string], isKey: boolean]>([
  ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", true],
  ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", true],
  ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR", false],
  ["not base64!", false],
  ["", false],
  [1, false],
  [undefined, false],
])("%s is a public key: %s", (text, isKey) => {
  expect(ed25519Key(text) !== undefined).toBe(isKey);
});
