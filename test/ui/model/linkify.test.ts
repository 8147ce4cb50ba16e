import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkify } from "../../../src/ui/model/linkify.ts";

const links = (text: string) => linkify(text).flatMap(({ href }) => href ?? []);

describe("addresses in a text", () => {
  test.each([
    ["See https://example.org.", "https://example.org"],
    ["See https://example.org/a?b=c&d#e, please", "https://example.org/a?b=c&d#e"],
    ["(https://example.org/a)", "https://example.org/a"],
    ["https://example.org/soup_(thick)", "https://example.org/soup_(thick)"],
    ["(https://example.org/soup_(thick)).", "https://example.org/soup_(thick)"],
    ["HTTP://EXAMPLE.ORG", "HTTP://EXAMPLE.ORG"],
    ['"https://example.org/a"', "https://example.org/a"],
  ])("%j has %s", (text, want) => expect(links(text)).toEqual([want]));

  test.each(["javascript:alert(1)", "data:text/html,x", "http://", "example.org", "ftp://example.org", ""])(
    "%j has none",
    (text) => expect(links(text)).toEqual([]),
  );

  test("two in a row stay two", () => {
    expect(linkify("https://a.example b https://c.example")).toEqual([
      { text: "https://a.example", href: "https://a.example" },
      { text: " b " },
      { text: "https://c.example", href: "https://c.example" },
    ]);
  });
});

test("no text is lost or changed, and only web addresses become links", () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom("https://a.example/(b)", "http://", ").", " "));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      const segments = linkify(text);
      expect(segments.map((segment) => segment.text).join("")).toBe(text);
      for (const { href } of segments) if (href) expect(new URL(href).protocol).toMatch(/^https?:$/);
    }),
  );
});
