import { getPublicKeyAsync } from "@noble/ed25519";
import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { readServerKeys } from "../../src/matrix/server-keys.ts";
import { signJson } from "../../src/matrix/signing.ts";

const ed25519 = await chooseEd25519(undefined);
const seed = (fill: number) => new Uint8Array(32).fill(fill);
const publicKey = async (fill: number) => getPublicKeyAsync(seed(fill));

async function documentOf(over: JsonObject = {}, signers: [string, number][] = [["ed25519:1", 1]]) {
  const document: JsonObject = {
    server_name: "a.example",
    valid_until_ts: 5,
    old_verify_keys: {},
    verify_keys: { "ed25519:1": { key: encodeBase64(await publicKey(1)) } },
    ...over,
  };
  let signed = document;
  for (const [keyId, fill] of signers) {
    signed = await signJson(signed, "a.example", keyId, await ed25519.signer(seed(fill)));
  }
  return signed;
}

describe("readServerKeys", () => {
  test("gives the keys and how long they hold", async () => {
    const { keys, validUntil } = await readServerKeys(await documentOf(), "a.example", ed25519);
    expect([...keys]).toEqual([["ed25519:1", Uint8Array.from(await publicKey(1))]]);
    expect(validUntil).toBe(5);
  });

  test("gives the keys of before, which need not sign", async () => {
    const key = encodeBase64(await publicKey(2));
    const old_verify_keys = {
      "ed25519:old": { key, expired_ts: 3 },
      "ed25519:1": { key, expired_ts: 3 },
      "ed25519:never": { key },
      "ed25519:none": { expired_ts: 3 },
      odd: 7,
    };
    const { oldKeys } = await readServerKeys(await documentOf({ old_verify_keys }), "a.example", ed25519);
    expect([...oldKeys]).toEqual([
      ["ed25519:old", { key: Uint8Array.from(await publicKey(2)), expiredAt: 3 }],
    ]);
  });

  test("a key that has not signed the document is left out", async () => {
    const verify_keys = {
      "ed25519:1": { key: encodeBase64(await publicKey(1)) },
      "ed25519:2": { key: encodeBase64(await publicKey(2)) },
      "other:3": { key: encodeBase64(await publicKey(3)) },
      "ed25519:4": 7,
    };
    const { keys } = await readServerKeys(await documentOf({ verify_keys }), "a.example", ed25519);
    expect([...keys.keys()]).toEqual(["ed25519:1"]);
  });

  test.each<[what: string, over: JsonObject, signers: [string, number][], errcode: string]>([
    ["of another server", { server_name: "b.example" }, [["ed25519:1", 1]], "M_INVALID_PARAM"],
    ["that nobody has signed", {}, [], "M_INVALID_SIGNATURE"],
    ["that another key has signed", {}, [["ed25519:1", 2]], "M_INVALID_SIGNATURE"],
    ["without keys", { verify_keys: {} }, [["ed25519:1", 1]], "M_INVALID_SIGNATURE"],
    ["whose keys are no object", { verify_keys: [] }, [["ed25519:1", 1]], "M_BAD_JSON"],
    ["without validity", { valid_until_ts: "soon" }, [["ed25519:1", 1]], "M_BAD_JSON"],
    [
      "with too many keys",
      { verify_keys: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`ed25519:${n}`, {}])) },
      [["ed25519:1", 1]],
      "M_BAD_JSON",
    ],
  ])("refuses a document %s", async (_, over, signers, errcode) => {
    const document = await documentOf(over, signers);
    await expect(readServerKeys(document, "a.example", ed25519)).rejects.toMatchObject({ errcode });
  });
});
