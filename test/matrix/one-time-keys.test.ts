import { expect, test } from "vitest";
import { fingerprintOf, readFallbackKeys, readNamedKeys } from "../../src/matrix/one-time-keys.ts";

test("keys are read with their algorithms and ids, objects as canonical JSON", () => {
  const key = { signatures: {}, key: "k" };
  expect(readNamedKeys({ "signed_curve25519:AAAA+/": key, "curve25519:B": "text" })).toEqual([
    {
      algorithm: "signed_curve25519",
      id: "AAAA+/",
      json: '{"key":"k","signatures":{}}',
      fingerprint: fingerprintOf({ key: "k" }),
    },
    { algorithm: "curve25519", id: "B", json: '"text"', fingerprint: fingerprintOf("text") },
  ]);
});

test("a fingerprint tells keys apart, and not who has signed them", () => {
  expect(fingerprintOf({ key: "k", signatures: { "@a:h": {} } })).toBe(fingerprintOf({ key: "k" }));
  expect(fingerprintOf({ key: "k", fallback: true })).not.toBe(fingerprintOf({ key: "k" }));
  expect(fingerprintOf("k")).not.toBe(fingerprintOf({ key: "k" }));
});

test.each(["", "a", "a:", ":b", "A:b", "a:b:c", "a:b c"])("%j names no key", (name) => {
  expect(() => readNamedKeys({ [name]: "k" })).toThrow("is named by its algorithm");
});

test("of fallback keys there is one for each algorithm", () => {
  expect(readFallbackKeys({ "a:1": "k", "b:1": "k" })).toHaveLength(2);
  expect(() => readFallbackKeys({ "a:1": "k", "a:2": "k" })).toThrow("one fallback key");
});
