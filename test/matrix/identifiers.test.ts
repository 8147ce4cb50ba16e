import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isEventId,
  isHistoricalUserId,
  isKeyId,
  isNonCompliantUserId,
  isRoomAlias,
  isRoomId,
  isUserId,
  isValidNewLocalpart,
  localpartOf,
  parseEventId,
  parseKeyId,
  parseRoomAlias,
  parseRoomId,
  parseServerName,
  parseUserId,
  serverNameOf,
  utf8Length,
} from "../../src/matrix/identifiers.ts";
import { unicodeText } from "./arbitraries.ts";

const standardHash = "acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk";
const urlSafeHash = "Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg";
/** Fills a localpart so that the whole id, with `:example.org`, has this many bytes. */
const filled = (bytes: number, filler = "a") => {
  const room = bytes - "@:example.org".length;
  return filler.repeat(Math.floor(room / utf8Length(filler))) + "a".repeat(room % utf8Length(filler));
};

describe("ids with a domain", () => {
  const kinds = [
    ["@", isUserId, parseUserId],
    ["!", isRoomId, parseRoomId],
    ["#", isRoomAlias, parseRoomAlias],
    ["$", isEventId, parseEventId],
  ] as const;

  describe.each(kinds)("%s", (sigil, is, parse) => {
    test.each([
      "a:example.org",
      "a.b_c=d-e/f+1:example.org:8448",
      "a:[::1]:80",
      "UPPER case and @ and !:example.org",
      "ünï\u{1f600}:example.org",
      "\u0001\u007f:example.org",
      ":example.org",
      `${filled(255)}:example.org`,
      `${filled(255, "\u{1f600}")}:example.org`,
    ])("%j", (rest) => {
      expect(is(sigil + rest)).toBe(true);
      expect(parse(sigil + rest)).toBe(sigil + rest);
    });

    test.each([
      "",
      "a",
      "a:",
      "a:exa mple.org",
      "a:b:example.org",
      "a\0:example.org",
      "\ud800:example.org",
      "a:example.org\0",
      `${filled(256)}:example.org`,
      `${filled(256, "\u{1f600}")}:example.org`,
    ])("not %j", (rest) => {
      expect(is(sigil + rest)).toBe(false);
      expect(() => parse(sigil + rest)).toThrow(
        expect.objectContaining({ errcode: "M_INVALID_PARAM", status: 400 }),
      );
    });

    test("not with another sigil, without one, or as another type", () => {
      for (const [other] of kinds) expect(is(`${other}a:example.org`)).toBe(other === sigil);
      expect(is("a:example.org")).toBe(false);
      for (const value of [undefined, null, 5, [`${sigil}a:example.org`], {}]) expect(is(value)).toBe(false);
    });
  });
});

describe("ids that are hashes", () => {
  test.each([
    ["event", isEventId, `$${standardHash}`, true],
    ["event", isEventId, `$${urlSafeHash}`, true],
    ["event", isEventId, `$${urlSafeHash.slice(1)}`, false],
    ["event", isEventId, `$${urlSafeHash}a`, false],
    ["event", isEventId, `$${urlSafeHash}=`, false],
    ["event", isEventId, "$Rqnc-F-dvnEYJTyHq/iKxU2bZ1CI92-kuZq3a5lr5Zg", false],
    ["room", isRoomId, `!${urlSafeHash}`, true],
    ["room", isRoomId, `!${standardHash}`, false],
    ["room", isRoomId, `!${urlSafeHash.slice(1)}`, false],
    ["user", isUserId, `@${urlSafeHash}`, false],
    ["alias", isRoomAlias, `#${urlSafeHash}`, false],
  ])("%s id, by %o: %s is %s", (_, is, id, good) => {
    expect(is(id)).toBe(good);
  });
});

test("an error quotes a long id shortened", () => {
  const attempt = () => parseUserId("x".repeat(100_000));
  expect(attempt).toThrow(/^"x{80}…" is not a user ID/);
});

describe("parts", () => {
  test("the localpart ends at the first colon, and the rest is the server's name", () => {
    const id = parseUserId("@alice:example.org:8448");
    expect([localpartOf(id), serverNameOf(id)]).toEqual(["alice", "example.org:8448"]);
    const alias = parseRoomAlias("#:[::1]:80");
    expect([localpartOf(alias), serverNameOf(alias)]).toEqual(["", "[::1]:80"]);
  });

  test("a hash is on no server", () => {
    const event = parseEventId(`$${urlSafeHash}`);
    expect([localpartOf(event), serverNameOf(event)]).toEqual([urlSafeHash, undefined]);
    expect(serverNameOf(parseRoomId(`!${urlSafeHash}`))).toBeUndefined();
    expect(serverNameOf(parseRoomId("!a:example.org"))).toBe("example.org");
  });

  test("property: whatever is a user id comes apart and together again", () => {
    fc.assert(
      fc.property(unicodeText, fc.constantFrom("example.org", "h:1", "[::1]:80"), (localpart, server) => {
        const id = `@${localpart}:${server}`;
        fc.pre(!/[:\0]/.test(localpart));
        expect(`@${localpartOf(parseUserId(id))}:${serverNameOf(parseUserId(id))}`).toBe(id);
      }),
    );
  });
});

describe("localparts of users", () => {
  const server = parseServerName("example.org");

  test.each(["a", "0", "a-z_0.9=/+", filled(255)])("%s may be a new one", (localpart) => {
    expect(isValidNewLocalpart(localpart, server)).toBe(true);
    expect(isHistoricalUserId(parseUserId(`@${localpart}:${server}`))).toBe(false);
  });

  test.each(["", "A", "a b", "é", "a~", "a@b", "a\n"])("%j may not, and is historical", (localpart) => {
    expect(isValidNewLocalpart(localpart, server)).toBe(false);
    expect(isHistoricalUserId(parseUserId(`@${localpart}:${server}`))).toBe(true);
  });

  test.each(["a:b", filled(256)])("%j may not", (localpart) => {
    expect(isValidNewLocalpart(localpart, server)).toBe(false);
  });

  test.each([
    ["A~!", false],
    ["", true],
    ["a b", true],
    ["\u007f", true],
    ["é", true],
  ])("%j is non-compliant: %s", (localpart, nonCompliant) => {
    expect(isNonCompliantUserId(parseUserId(`@${localpart}:${server}`))).toBe(nonCompliant);
  });
});

describe("key ids", () => {
  test.each([
    "ed25519:1",
    "ed25519:a_RXGa",
    "signed_curve25519:AAAAHg",
    "ed25519:EmkqvokUn8p+vQAGZitOk4PWjp7Ukp3txV2TbMPEiBQ",
  ])("%s", (id) => {
    expect(isKeyId(id)).toBe(true);
    expect(parseKeyId(id)).toBe(id);
  });

  test.each([
    "",
    "ed25519",
    "ed25519:",
    ":1",
    "ED25519:1",
    "ed25519:a b",
    "ed25519:a:b",
    "ed25519:é",
    `ed25519:${"a".repeat(248)}`,
  ])("not %j", (id) => {
    expect(isKeyId(id)).toBe(false);
    expect(() => parseKeyId(id)).toThrow(expect.objectContaining({ errcode: "M_INVALID_PARAM" }));
  });
});
