import { webcrypto } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64 } from "../../src/matrix/base64.ts";
import { canonicalJson } from "../../src/matrix/canonical-json.ts";
import { webCryptoEd25519 } from "../../src/matrix/ed25519.ts";
import { nobleEd25519 } from "../../src/matrix/ed25519-noble.ts";
import { eventIdOf } from "../../src/matrix/hashes.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { redact } from "../../src/matrix/redaction.ts";
import { roomVersionRules, roomVersions } from "../../src/matrix/room-versions.ts";
import {
  type EventDraft,
  finishEvent,
  type SigningKey,
  signEvent,
  signJson,
  verifyEventHash,
  verifyEventSignature,
  verifySignedJson,
} from "../../src/matrix/signing.ts";
import { utf8Length } from "../../src/matrix/utf8.ts";
import vectors from "../vectors/signing.json" with { type: "json" };
import { jsonObject } from "./arbitraries.ts";

const { serverName, keyId } = vectors;
const ed25519 = webCryptoEd25519(webcrypto.subtle);
const badJson = expect.objectContaining({ errcode: "M_BAD_JSON", status: 400 });
const rulesOf = (id: string) => roomVersionRules(id)!;

// RFC 8032's signatures are a function of key and message, and noble's are such: with it alone the spec's
// examples can be had letter by letter.
const deterministic = nobleEd25519();
const seed = decodeBase64(vectors.seed)!;
const key: SigningKey = {
  keyId,
  publicKey: await deterministic.publicKey(seed),
  sign: await deterministic.signer(seed),
};

const draft: EventDraft = {
  type: "m.room.message",
  event_id: "$0:domain",
  room_id: "!x:domain",
  sender: "@a:domain",
  content: { body: "hello", msgtype: "m.text" },
  depth: 3,
  origin_server_ts: 1000000,
  prev_events: ["$a"],
  auth_events: ["$b"],
  unsigned: { age_ts: 5 },
};

describe("JSON", () => {
  const verify = (object: JsonObject) => verifySignedJson(object, serverName, keyId, key.publicKey, ed25519);

  test.each(vectors.json)("the spec's example: $name", async ({ object, signed }) => {
    expect(await signJson(object, serverName, keyId, key.sign)).toEqual(signed);
    expect(await verify(signed)).toBe(true);
    expect(await verify({ ...signed, three: 3 })).toBe(false);
  });

  test("other signatures and unsigned stay, and are not covered", async () => {
    const object = {
      a: 1,
      unsigned: { b: 2 },
      signatures: { other: { "ed25519:x": "eA" }, [serverName]: { k: "v" } },
    };
    const signed = await signJson(object, serverName, keyId, key.sign);
    expect(signed).toMatchObject(object);
    expect(await verify({ ...signed, unsigned: { changed: true } })).toBe(true);
    expect(object.signatures[serverName]).toEqual({ k: "v" });
  });

  test.each(["__proto__", "constructor"])("the name %s is a name like any other", async (name) => {
    const signed = await signJson({ a: 1, signatures: {} }, name, keyId, key.sign);
    expect(await verifySignedJson(signed, name, keyId, key.publicKey, ed25519)).toBe(true);
    const unsigned = { a: 1, signatures: {} };
    expect(await verifySignedJson(unsigned, name, keyId, key.publicKey, ed25519)).toBe(false);
  });

  test.each<[what: string, signatures: JsonObject[string]]>([
    ["absent", undefined],
    ["null", null],
    ["no object", "x"],
    ["an array", []],
    ["without the server", { other: { "ed25519:1": "eA" } }],
    ["no object for the server", { domain: "eA" }],
    ["without the key", { domain: { "ed25519:2": "eA" } }],
    ["no text", { domain: { "ed25519:1": 5 } }],
    ["no Base64", { domain: { "ed25519:1": "*" } }],
    ["too short", { domain: { "ed25519:1": "eA" } }],
  ])("does not verify when signatures are %s", async (_, signatures) => {
    expect(await verify({ signatures })).toBe(false);
  });

  test("does not verify by an algorithm that is not known", async () => {
    const signed = await signJson({}, serverName, "rot13:1", key.sign);
    expect(await verifySignedJson(signed, serverName, "rot13:1", key.publicKey, ed25519)).toBe(false);
  });

  test.each(["x", [], { domain: "x" }])("refuses to add to signatures that are %j", async (signatures) => {
    await expect(signJson({ signatures }, serverName, keyId, key.sign)).rejects.toEqual(badJson);
  });

  test("signs numbers by the rule it is told, and verifies them leniently", async () => {
    await expect(signJson({ a: 0.5 }, serverName, keyId, key.sign)).rejects.toEqual(badJson);
    expect(await verify(await signJson({ a: 0.5 }, serverName, keyId, key.sign, "lenient"))).toBe(true);
    await expect(verify({ a: "\ud800", signatures: { domain: { "ed25519:1": "eA" } } })).rejects.toEqual(
      badJson,
    );
  });

  test("property: verifies what it signs, and nothing with a member more", async () => {
    await fc.assert(
      fc.asyncProperty(jsonObject, async (object) => {
        const { signatures: _, ...rest } = object;
        const signed = await signJson(rest, serverName, keyId, key.sign);
        expect(await verify(JSON.parse(JSON.stringify(signed)))).toBe(true);
        expect(await verify({ ...signed, "one more": null })).toBe(false);
      }),
    );
  });
});

describe("events", () => {
  const verify = (pdu: JsonObject, version: string) =>
    verifyEventSignature(pdu, rulesOf(version), serverName, keyId, key.publicKey, ed25519);

  test.each(vectors.events)("the spec's example: $name", async ({ event, signed, roomVersion, eventId }) => {
    const finished = await finishEvent(event as unknown as EventDraft, rulesOf(roomVersion), serverName, key);
    expect(finished.pdu).toEqual(signed);
    expect(JSON.parse(finished.json)).toEqual(signed);
    expect(finished.eventId).toBe(eventId);
    expect(verifyEventHash(signed, rulesOf(roomVersion))).toBe(true);
    expect(await verify(signed, roomVersion)).toBe(true);
  });

  test.each(roomVersions)(
    "room version %s: what is finished verifies, in full and redacted",
    async (version) => {
      const rules = rulesOf(version);
      const { pdu, eventId, json } = await finishEvent(draft, rules, serverName, key);
      expect(JSON.parse(json)).toEqual(pdu);
      expect(utf8Length(json)).toBe(utf8Length(canonicalJson(pdu)));
      expect(eventIdOf(pdu, rules)).toBe(eventId);
      expect(verifyEventHash(pdu, rules)).toBe(true);
      expect(await verify(pdu, version)).toBe(true);
      const redacted = redact(pdu, rules);
      expect(verifyEventHash(redacted, rules)).toBe(false);
      expect(await verify(redacted, version)).toBe(true);
      expect(eventIdOf(redacted, rules)).toBe(eventId);
    },
  );

  test("a draft's own hashes and signatures are dropped, and the draft stays as it was", async () => {
    const { unsigned: _, ...plain } = draft;
    const template = { ...plain, hashes: { sha256: "x", md5: "y" }, signatures: { other: {} } };
    const copy = structuredClone(template);
    const { pdu, json } = await finishEvent(template as EventDraft, rulesOf("12"), serverName, key);
    expect(pdu).toEqual((await finishEvent(plain as EventDraft, rulesOf("12"), serverName, key)).pdu);
    expect(JSON.parse(json)).toEqual(pdu);
    expect(template).toEqual(copy);
  });

  test.each<[what: string, change: JsonObject, hash: boolean, signature: boolean]>([
    ["nothing", {}, true, true],
    ["unsigned", { unsigned: {} }, true, true],
    ["what a redaction takes", { content: { body: "forged" } }, false, true],
    ["an unknown member", { "org.example.extra": 1 }, false, true],
    ["what a redaction leaves", { sender: "@b:domain" }, false, false],
    ["the hash", { hashes: { sha256: "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos" } }, false, false],
    ["the hash's kind", { hashes: { sha256: 1 } }, false, false],
    ["the hashes' kind", { hashes: [] }, false, false],
    ["the hashes' presence", { hashes: undefined }, false, false],
    ["the signatures", { signatures: {} }, true, false],
  ])("with %s changed", async (_, change, hash, signature) => {
    const { pdu } = await finishEvent(draft, rulesOf("11"), serverName, key);
    const changed: JsonObject = { ...pdu, ...change };
    expect(verifyEventHash(changed, rulesOf("11"))).toBe(hash);
    expect(await verify(changed, "11")).toBe(signature);
  });

  test("a hash is compared by its bytes: padding does not matter", async () => {
    const { pdu } = await finishEvent(draft, rulesOf("11"), serverName, key);
    expect(verifyEventHash({ ...pdu, hashes: { sha256: `${pdu.hashes.sha256}=` } }, rulesOf("11"))).toBe(
      true,
    );
  });

  test("a second server signs the same event, and the first signature holds", async () => {
    const rules = rulesOf("12");
    const { pdu, eventId } = await finishEvent(draft, rules, serverName, key);
    const both = await signEvent(pdu, rules, "second", { ...key, keyId: "ed25519:2" });
    expect(eventIdOf(both, rules)).toBe(eventId);
    expect(await verify(both, "12")).toBe(true);
    expect(await verifyEventSignature(both, rules, "second", "ed25519:2", key.publicKey, ed25519)).toBe(true);
    expect(Object.keys(pdu.signatures)).toEqual([serverName]);
  });

  test.each([
    ["a float", { content: { level: 0.5 } }],
    ["a float in unsigned", { unsigned: { age: 0.5 } }],
    ["half a surrogate pair", { content: { body: "\ud800" } }],
  ])("refuses %s from room version 6 on", async (_, change) => {
    await expect(finishEvent({ ...draft, ...change }, rulesOf("6"), serverName, key)).rejects.toEqual(
      badJson,
    );
  });

  test("refuses a draft without an event_id where room versions want one", async () => {
    await expect(
      finishEvent({ ...draft, event_id: undefined }, rulesOf("2"), serverName, key),
    ).rejects.toEqual(badJson);
  });

  test("property: whatever the content, the text stored is the event", async () => {
    await fc.assert(
      fc.asyncProperty(jsonObject, fc.constantFrom(...roomVersions), async (content, version) => {
        const { pdu, json } = await finishEvent({ ...draft, content }, rulesOf(version), serverName, key);
        expect(canonicalJson(JSON.parse(json))).toBe(canonicalJson(pdu));
        expect(await verify(JSON.parse(json), version)).toBe(true);
        expect(verifyEventHash(JSON.parse(json), rulesOf(version))).toBe(true);
      }),
    );
  });
});
