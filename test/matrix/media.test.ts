import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentDisposition } from "../../src/matrix/content-disposition.ts";
import { isInlineType, mediaTypeOr, unknownType } from "../../src/matrix/media-type.ts";
import { mxcUri, parseMediaAddress } from "../../src/matrix/mxc.ts";

describe("media addresses", () => {
  test("are of a server name and a media id", () => {
    expect(mxcUri(parseMediaAddress("a.example:8448", "Az0_-"))).toBe("mxc://a.example:8448/Az0_-");
  });

  test.each([
    ["127.0.0.1/..", "a"],
    ["", "a"],
    ["a.example", ""],
    ["a.example", ".."],
    ["a.example", "a/b"],
    ["a.example", "ä"],
    ["a.example", "a".repeat(256)],
  ])("%j with %j is none", (server, id) => {
    expect(() => parseMediaAddress(server, id)).toThrow(
      expect.objectContaining({ errcode: "M_INVALID_PARAM", status: 400 }),
    );
  });
});

describe("media types", () => {
  test.each([
    "image/png",
    "text/plain; charset=utf-8",
    'text/plain;charset="utf 8"; x=y',
    "application/vnd.a+json;",
    "text/plain;;a=b",
  ])("%j is told on as it was given", (type) => {
    expect(mediaTypeOr(type)).toBe(type);
  });

  test.each([
    "",
    "image",
    "image/",
    "image/png\r\nSet-Cookie: a=b",
    "image/pn g",
    "text/plain; a",
    "a/ü",
    `a/${"b".repeat(255)}`,
  ])("%j is nothing", (type) => {
    expect(mediaTypeOr(type)).toBe(unknownType);
  });

  test("one that is nearly one is refused as fast as it is read", () => {
    expect(mediaTypeOr(`a/b${"; ".repeat(120)}!`)).toBe(unknownType);
  });

  test.each([
    ["image/png", true],
    ["IMAGE/PNG; a=b", true],
    ["text/plain;charset=utf-8", true],
    ["text/html", false],
    ["image/svg+xml", false],
    ["application/xhtml+xml", false],
    ["text/javascript", false],
    ["application/pdf", false],
    ["application/octet-stream", false],
  ])("%j may be shown in place: %j", (type, inline) => {
    expect(isInlineType(type)).toBe(inline);
  });
});

describe("Content-Disposition", () => {
  test.each([
    ["", "inline"],
    ["War and Peace.pdf", 'inline; filename="War and Peace.pdf"'],
    ['a"b\\c.txt', `inline; filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`],
    ["100%.txt", `inline; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    ["naïve 🐱.png", `inline; filename="na_ve _.png"; filename*=UTF-8''na%C3%AFve%20%F0%9F%90%B1.png`],
    ["a\r\nX: y", `inline; filename="a__X: y"; filename*=UTF-8''a%0D%0AX%3A%20y`],
  ])("of %j", (name, header) => {
    expect(contentDisposition("inline", name)).toBe(header);
  });

  const char = fc.oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  );
  const names = fc
    .array(char, { minLength: 1, maxLength: 20 })
    .map((chars) => String.fromCodePoint(...chars));

  test("every name can stand in a header, and is read out of it again", () => {
    fc.assert(
      fc.property(names, (name) => {
        const header = contentDisposition("attachment", name);
        expect(new Headers({ "Content-Disposition": header }).get("Content-Disposition")).toBe(header);
        const extended = /filename\*=UTF-8''([\w%!#$&+.^`|~-]*)$/.exec(header)?.[1];
        const plain = /^attachment; filename="([^"\\%]*)"$/.exec(header)?.[1];
        expect(extended === undefined ? plain : decodeURIComponent(extended)).toBe(name);
      }),
    );
  });
});
