import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import type { Pdu } from "../../src/matrix/pdu.ts";
import { needsRecommendation, policyServerIn, withRecommendation } from "../../src/matrix/policy-server.ts";

const key = new Uint8Array(32).fill(7);
const good: JsonObject = { via: "policy.example.org", public_keys: { ed25519: encodeBase64(key) } };

describe("the policy server that a room names", () => {
  test("has a name and a key", () => {
    expect(policyServerIn(good)).toEqual({ via: "policy.example.org", publicKey: key });
  });

  test.each<[string, JsonObject | undefined]>([
    ["nothing", undefined],
    ["no content", {}],
    ["no name", { ...good, via: 5 }],
    ["a name that is none", { ...good, via: "a b" }],
    ["no keys", { via: "policy.example.org" }],
    ["no key of the kind", { ...good, public_keys: { ed448: "x" } }],
    ["a key that is no text", { ...good, public_keys: { ed25519: {} } }],
    ["a key that is no Base64", { ...good, public_keys: { ed25519: "*" } }],
    ["a key that is too short", { ...good, public_keys: { ed25519: "AAAA" } }],
  ])("is none where there is %s", (_, content) => {
    expect(policyServerIn(content)).toBeUndefined();
  });
});

test.each<[string, string | undefined, boolean]>([
  ["m.room.policy", "", false],
  ["m.room.policy", "x", true],
  ["m.room.policy", undefined, true],
  ["m.room.create", "", false],
  ["m.room.member", "@a:b", true],
  ["m.room.message", undefined, true],
])("an event %s with state key %s needs a recommendation: %s", (type, stateKey, needs) => {
  expect(needsRecommendation({ type, ...(stateKey !== undefined && { state_key: stateKey }) })).toBe(needs);
});

test("of an answer the policy server's own signature is added, and no other taken away or added", () => {
  const pdu = { signatures: { a: { "ed25519:1": "A" }, p: { "ed25519:2": "P" } } } as unknown as Pdu;
  const answer = { p: { "ed25519:policy_server": "S", "ed25519:2": "forged" }, a: { "ed25519:1": "forged" } };
  expect(withRecommendation(pdu, "p", answer)).toEqual({
    signatures: { a: { "ed25519:1": "A" }, p: { "ed25519:2": "P", "ed25519:policy_server": "S" } },
  });
  for (const bad of [{}, [], { p: 1 }, { p: {} }, { p: { "ed25519:policy_server": 1 } }]) {
    expect(withRecommendation(pdu, "p", bad)).toBeUndefined();
  }
});
