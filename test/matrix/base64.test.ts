import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeBase32,
  decodeBase64,
  encodeBase32,
  encodeBase64,
  encodeBase64Url,
} from "../../src/matrix/base64.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("Base64", () => {
  // From the appendices: https://spec.matrix.org/v1.19/appendices/#unpadded-base64
  test.each([
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
    ["fooba", "Zm9vYmE"],
    ["foobar", "Zm9vYmFy"],
  ])("the spec's example %j is %j", (text, encoded) => {
    expect(encodeBase64(utf8(text))).toBe(encoded);
    expect(decodeBase64(encoded)).toEqual(utf8(text));
  });

  test.each([
    ["padded", "Zm9vYg==", "foob"],
    ["padded by one", "Zm9vYmE=", "fooba"],
    ["with spare bits set", "Zm9vYh", "foob"],
  ])("reads what is %s", (_, encoded, text) => {
    expect(decodeBase64(encoded)).toEqual(utf8(text));
  });

  test("reads both alphabets and writes each", () => {
    const bytes = Uint8Array.of(0xfb, 0xff, 0xfe);
    expect(encodeBase64(bytes)).toBe("+//+");
    expect(encodeBase64Url(bytes)).toBe("-__-");
    expect(decodeBase64("+//+")).toEqual(bytes);
    expect(decodeBase64("-__-")).toEqual(bytes);
  });

  test.each([
    "Z",
    "Zm9vY",
    "Zg=",
    "Zg===",
    "====",
    "=",
    "Zm 9v",
    "Zm9v\n",
    "Zm9*",
    "+/-_",
    "Zmé9",
    "Z\u{1f600}g",
  ])("%j is none", (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  test("property: round trips, and writes what Node writes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64").replaceAll("=", ""));
        expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
        expect(decodeBase64(encodeBase64Url(bytes))).toEqual(bytes);
        expect(decodeBase64(Buffer.from(bytes).toString("base64"))).toEqual(bytes);
      }),
    );
  });
});

describe("Base32", () => {
  // RFC 4648 section 10, in lower case and without padding.
  test.each([
    ["", ""],
    ["f", "my"],
    ["fo", "mzxq"],
    ["foo", "mzxw6"],
    ["foob", "mzxw6yq"],
    ["fooba", "mzxw6ytb"],
    ["foobar", "mzxw6ytboi"],
  ])("RFC 4648: %j is %j", (text, encoded) => {
    expect(encodeBase32(utf8(text))).toBe(encoded);
    expect(decodeBase32(encoded)).toEqual(utf8(text));
  });

  test.each(["MY", "my======", "mz", "m", "mzx", "mzxw6y", "m1", "m8", "m y"])("%j is none", (text) => {
    expect(decodeBase32(text)).toBeUndefined();
  });

  test("property: round trips, and only one text stands for given bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: fc.constantFrom(..."abyz27") }), (bytes, text) => {
        expect(decodeBase32(encodeBase32(bytes))).toEqual(bytes);
        const decoded = decodeBase32(text);
        expect(decoded === undefined ? text : encodeBase32(decoded)).toBe(text);
      }),
    );
  });
});
