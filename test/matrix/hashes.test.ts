import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase64Url } from "../../src/matrix/base64.ts";
import { contentHash, eventIdOf, referenceHash, sha256 } from "../../src/matrix/hashes.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { redact } from "../../src/matrix/redaction.ts";
import { roomVersionRules, roomVersions } from "../../src/matrix/room-versions.ts";
import vectors from "../vectors/signing.json" with { type: "json" };
import { jsonObject } from "./arbitraries.ts";

const rulesOf = (id: string) => roomVersionRules(id)!;

/** An event of no particular room version, so that every version can hash it. */
const event: JsonObject = {
  type: "m.room.message",
  event_id: "$0:domain",
  room_id: "!x:domain",
  sender: "@a:domain",
  content: { body: "hello" },
  depth: 3,
  origin_server_ts: 1000000,
  prev_events: [],
  auth_events: [],
  hashes: { sha256: "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos" },
};

test("property: sha256 is Node's", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(Buffer.from(sha256(bytes))).toEqual(createHash("sha256").update(bytes).digest());
    }),
  );
});

describe("contentHash", () => {
  test.each(vectors.events)("the spec's example: $name", ({ event, signed, roomVersion }) => {
    expect(contentHash(event, rulesOf(roomVersion))).toBe(signed.hashes.sha256);
    expect(contentHash(signed, rulesOf(roomVersion))).toBe(signed.hashes.sha256);
  });

  test.each([
    ["unsigned", { unsigned: { age: 1 } }, false],
    ["signatures", { signatures: { a: { b: "c" } } }, false],
    ["hashes", { hashes: {} }, false],
    ["content", { content: { body: "hello!" } }, true],
    ["what no room version knows", { "org.example.extra": 1 }, true],
  ])("changes with %s: %s", (_, change: JsonObject, changes) => {
    const [before, after] = [event, { ...event, ...change }].map((pdu) => contentHash(pdu, rulesOf("12")));
    expect(before !== after).toBe(changes);
  });

  test("takes a float up to room version 5, and refuses it from 6 on", () => {
    const pdu = { ...event, content: { level: 0.5 } };
    expect(contentHash(pdu, rulesOf("5"))).toMatch(/^[A-Za-z0-9+/]{43}$/);
    expect(() => contentHash(pdu, rulesOf("6"))).toThrow(expect.objectContaining({ errcode: "M_BAD_JSON" }));
  });
});

describe("eventIdOf", () => {
  test.each(vectors.events)("the examples: $name", ({ signed, roomVersion, eventId }) => {
    expect(eventIdOf(signed, rulesOf(roomVersion))).toBe(eventId);
  });

  test("room version 3 writes the same hash in the standard alphabet", () => {
    const urlSafe = Array.from({ length: 20 }, (_, depth) => eventIdOf({ ...event, depth }, rulesOf("4")));
    const standard = Array.from({ length: 20 }, (_, depth) => eventIdOf({ ...event, depth }, rulesOf("3")));
    expect(urlSafe.join()).toMatch(/[-_]/);
    expect(standard).toEqual(urlSafe.map((id) => id.replaceAll("-", "+").replaceAll("_", "/")));
  });

  test.each(["1", "2"])("room version %s takes the event's own", (version) => {
    expect(eventIdOf(event, rulesOf(version))).toBe("$0:domain");
    for (const event_id of [undefined, "0:domain", "$0", 5]) {
      const attempt = () => eventIdOf({ ...event, event_id }, rulesOf(version));
      expect(attempt).toThrow(expect.objectContaining({ errcode: "M_BAD_JSON", status: 400 }));
    }
  });

  test.each(roomVersions.slice(2))(
    "room version %s: is the reference hash, whatever else is there",
    (version) => {
      const rules = rulesOf(version);
      const id = `$${encodeBase64Url(referenceHash(event, rules))}`;
      const decorated = { ...event, unsigned: { age: 5 }, signatures: { domain: { "ed25519:1": "c2ln" } } };
      expect(eventIdOf(decorated, rules).replaceAll("+", "-").replaceAll("/", "_")).toBe(id);
    },
  );

  test("property: survives redaction", () => {
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(...roomVersions), fc.boolean(), (content, version, member) => {
        const pdu = { ...event, type: member ? "m.room.member" : "m.room.power_levels", content };
        expect(eventIdOf(redact(pdu, rulesOf(version)), rulesOf(version))).toBe(
          eventIdOf(pdu, rulesOf(version)),
        );
      }),
    );
  });
});
