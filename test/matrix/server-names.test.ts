import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isServerName,
  keyFromServerName,
  parseServerName,
  serverNameFromKey,
} from "../../src/matrix/identifiers.ts";

describe("isServerName", () => {
  test.each([
    "matrix.org",
    "matrix.org:8888",
    "1.2.3.4",
    "1.2.3.4:1234",
    "[1234:5678::abcd]",
    "[1234:5678::abcd]:5678",
    "localhost",
    "UPPER.example",
    "a-b.c--d",
    "x".repeat(255),
    "example.org:1",
    "example.org:99999",
    "[::]",
    "[::1]",
    "[1::]",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7::]",
    "[::ffff:192.0.2.1]",
    "[1:2:3:4:5:6:255.255.255.255]",
    "[FE80::a]",
  ])("%s", (name) => {
    expect(isServerName(name)).toBe(true);
    expect(parseServerName(name)).toBe(name);
  });

  test.each([
    "",
    ":80",
    "example.org:",
    "example.org:123456",
    "example.org:80a",
    "example.org:80:80",
    "exa mple.org",
    "exämple.org",
    "under_score.org",
    "example.org/",
    "@example.org",
    "example.org\n",
    "x".repeat(256),
    "1234:5678::abcd",
    "[1234:5678::abcd",
    "[]",
    "[:]",
    "[1:2:3:4:5:6:7]",
    "[1:2:3:4:5:6:7:8:9]",
    "[1::2::3]",
    "[1:2:3:4:5:6:7:8::]",
    "[:::]",
    "[1:2:3:4:5:6:7:]",
    "[::12345]",
    "[::g]",
    "[::192.0.2.256]",
    "[192.0.2.1::]",
    "[::1%eth0]",
  ])("not %j", (name) => {
    expect(isServerName(name)).toBe(false);
    expect(() => parseServerName(name)).toThrow(
      expect.objectContaining({ errcode: "M_INVALID_PARAM", status: 400 }),
    );
  });

  test.each([undefined, null, 1, {}, ["example.org"]])("not the value %j", (value) => {
    expect(isServerName(value)).toBe(false);
  });
});

describe("a name made from a key", () => {
  const key = new Uint8Array(32).fill(0xff);
  const name = serverNameFromKey(key);

  test("is one label of 52 characters", () => {
    expect(name).toBe(`${"7".repeat(51)}q`);
  });

  test.each(["", ".relay.example", ".relay.example:8448", ".localhost:8008"])(
    "proves the key when %j follows",
    (rest) => {
      expect(keyFromServerName(name + rest)).toEqual(key);
    },
  );

  test.each([
    ["of other length", `${name}a`],
    ["with spare bits set", `${"7".repeat(51)}r`],
    ["in capitals", name.toUpperCase()],
    ["with a port and no relay", `${name}:8448`],
    ["with an empty relay", `${name}.`],
    ["with an empty label", `${name}..example`],
    ["that is no server name", `${name}.relay/example`],
    ["that comes second", `relay.${name}`],
    ["that is none", "matrix.org"],
  ])("does not, %s", (_, other) => {
    expect(keyFromServerName(other)).toBeUndefined();
  });

  test.each([0, 31, 33])("is not made from %d bytes", (length) => {
    expect(() => serverNameFromKey(new Uint8Array(length))).toThrow(
      expect.objectContaining({ errcode: "M_INVALID_PARAM" }),
    );
  });

  test("property: the key comes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(keyFromServerName(serverNameFromKey(bytes))).toEqual(bytes);
      }),
    );
  });
});
