import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.ts";
import { canonicalJson } from "../../src/matrix/canonical-json.ts";
import { chooseEd25519 } from "../../src/matrix/ed25519.ts";
import { parseJsonText } from "../../src/matrix/json-text.ts";
import { readReceivedEvent, verifyReceivedEvent } from "../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../src/matrix/room-versions.ts";
import { encodeUtf8 } from "../../src/matrix/utf8.ts";
import { readWrittenNumbers } from "../../src/matrix/written-numbers.ts";
import { jsonObject } from "./arbitraries.ts";

/** What Python 3.11 makes of these: `json.dumps(json.loads(text))`. */
const vectors = [
  ["1.0", "1.0"],
  ["1e3", "1000.0"],
  ["-0.0", "-0.0"],
  ["0e5", "0.0"],
  ["1.5e-7", "1.5e-07"],
  ["0.0001", "0.0001"],
  ["0.00001", "1e-05"],
  ["1e15", "1000000000000000.0"],
  ["1e16", "1e+16"],
  ["123456789012345680.0", "1.2345678901234568e+17"],
  ["1e22", "1e+22"],
  ["5e-324", "5e-324"],
  ["1.7976931348623157e308", "1.7976931348623157e+308"],
  ["0.1", "0.1"],
  ["100.25", "100.25"],
  ["-2.50", "-2.5"],
  ["1E+2", "100.0"],
  ["123456.789e3", "123456789.0"],
  ["12345678901234567890", "12345678901234567890"],
  ["9007199254740993", "9007199254740993"],
  ["-0", "0"],
] as const;

const textOf = (text: string) => {
  const written = readWrittenNumbers(text);
  return written?.textOf(written.value);
};

describe("numbers as others sign them", () => {
  test.each(vectors)("%s is signed as %s", (text, signed) => {
    expect(textOf(`{"b":[${text}],"a":"${text}"}`)).toBe(`{"a":"${text}","b":[${signed}]}`);
  });

  test.each(['{"a":1,"b":-7}', '{"a":"1.0","1.5":2}', '{"a":9007199254740991}', "{}"])(
    "%s needs no care",
    (text) => {
      expect(readWrittenNumbers(text)).toBeUndefined();
    },
  );

  test("property: all else is canonical JSON as ever", () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const text = JSON.stringify({ ...object, zzz: 0.5 });
        expect(textOf(text)).toBe(canonicalJson(parseJsonText(text, { integersOnly: false }), "lenient"));
      }),
    );
  });

  test("property: a double comes back as itself", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const signed = textOf(`{"a":${value.toExponential()}}`) ?? "";
        // That of zero is not written by toExponential.
        expect(JSON.parse(signed).a + 0).toBe(value + 0);
      }),
    );
  });
});

/** Hashed by Python, as Synapse does it: SHA-256 over `json.dumps(event, separators=(",", ":"), sort_keys=True)`. */
const event = `{"type":"m.room.message","sender":"@a:peer.example","room_id":"!r:peer.example","content":{"a":1.0,
  "b":1e3,"c":-0.0,"d":12345678901234567890,"e":1.5e-7,"f":1e16,"g":"1.0"},"origin_server_ts":1,"unsigned":{"age":1.5},
  "depth":9007199254740993,"prev_events":[],"auth_events":[],"hashes":{"sha256":"RG67Kffw3k6HhrCx6768P7EAwAUp3sWpCXVwPbo7jok"}`;
const essence = `{"auth_events":[],"content":{},"depth":9007199254740993,"hashes":{"sha256":"RG67Kffw3k6HhrCx6768P7EAwAUp3sWpCXVwPbo7jok"},"origin_server_ts":1,"prev_events":[],"room_id":"!r:peer.example","sender":"@a:peer.example","type":"m.room.message"}`;
const rules = roomVersionRules("5")!;

async function signed(text: string) {
  const ed25519 = await chooseEd25519(undefined);
  const seed = new Uint8Array(32).fill(1);
  const signature = encodeBase64(await (await ed25519.signer(seed))(encodeUtf8(essence)));
  const received = readReceivedEvent(
    `${text},"signatures":{"peer.example":{"ed25519:1":"${signature}"}}}`,
    rules,
  );
  const publicKey = await ed25519.publicKey(seed);
  const isSigned = await verifyReceivedEvent(
    received,
    rules,
    "peer.example",
    "ed25519:1",
    publicKey,
    ed25519,
  );
  return { ...received, isSigned };
}

describe("an event with such numbers", () => {
  test("has the id, the hash and the signature that its server gave it, and keeps its text", async () => {
    const { eventId, pdu, json, isSigned } = await signed(event);
    expect(eventId).toBe("$fTPftVf2E4t52gvUDc-kha9gOBbFpMX9Z5HUH0dTENY");
    expect(pdu.content).toMatchObject({ a: 1, b: 1000, g: "1.0" });
    expect(json).toContain('"b":1000.0,"c":-0.0,"d":12345678901234567890,"e":1.5e-07,"f":1e+16,"g":"1.0"');
    expect(json).not.toContain("unsigned");
    expect(isSigned).toBe(true);
    expect(readReceivedEvent(json, rules)).toEqual({ eventId, pdu, json });
  });

  test("that was changed is taken for a redacted copy, of the same id and signature", async () => {
    const { eventId, pdu, json, isSigned } = await signed(event.replace("1e3", "1e4"));
    expect(eventId).toBe("$fTPftVf2E4t52gvUDc-kha9gOBbFpMX9Z5HUH0dTENY");
    expect(pdu.content).toEqual({});
    expect(json).toContain('"depth":9007199254740993');
    expect(isSigned).toBe(true);
  });

  test("is signed by nobody if what is signed was changed", async () => {
    expect((await signed(event.replace("9007199254740993", "9007199254740992"))).isSigned).toBe(false);
  });
});
