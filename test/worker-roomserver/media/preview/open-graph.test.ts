import { describe, expect, test } from "vitest";
import { decodePage } from "../../../../src/worker-roomserver/media/preview/charset.ts";
import { summarisePage } from "../../../../src/worker-roomserver/media/preview/open-graph.ts";

describe("what a page says of itself", () => {
  test("in OpenGraph", () => {
    const page = `<!doctype html><html prefix="og: https://ogp.me/ns#"><head>
      <title>Not this one</title>
      <meta property="og:title" content="  A &amp; B\n  said ">
      <meta property="og:title" content="a second one">
      <META NAME="OG:Description" CONTENT="all of it">
      <meta property="og:image" content="/cat.png"><meta property="og:image:width" content="9">
      <meta property="og:site_name" content="Cats"><meta property="og:url" content="">
      <meta property="article:author" content="nobody"><meta property="og:__proto__" content="x">
      </head>`;
    expect(summarisePage(page)).toEqual({
      properties: Object.fromEntries([
        ["og:title", "A & B said"],
        ["og:description", "all of it"],
        ["og:site_name", "Cats"],
        ["og:__proto__", "x"],
      ]),
      image: "/cat.png",
      base: undefined,
    });
  });

  test.each<[what: string, page: string, properties: object, image?: string, base?: string]>([
    ["Twitter's tags", '<meta name="twitter:title" content="T"><title>x</title>', { "og:title": "T" }],
    [
      "a title and a description",
      "<title> a\n b</title><meta name=description content=D>",
      { "og:title": "a b", "og:description": "D" },
    ],
    ["a heading", "<body><h1>Big <b>news</b></h1><h1>more</h1>", { "og:title": "Big news" }],
    ["an image that is linked", '<link rel="image_src" href="i.png">', {}, "i.png"],
    [
      "a secure image before another",
      '<meta property="og:image" content="a"><meta property="og:image:secure_url" content="b">',
      {},
      "b",
    ],
    ["a base", '<base href="/b/"><meta name="twitter:image" content="c">', {}, "c", "/b/"],
    ["nothing", "just text", {}],
    ["nothing at all", "", {}],
    ["a script that looks like it", '<script>"<title>x</title>"</script>', {}],
    ["a title that never ends", "<title>open", { "og:title": "open" }],
  ])("by %s", (_, page, properties, image = undefined, base = undefined) => {
    expect(summarisePage(page)).toEqual({ properties, image, base });
  });

  test("is bounded", () => {
    const many = Array.from(
      { length: 500 },
      (_, i) => `<meta property="og:x${i}" content="${"y".repeat(5_000)}">`,
    );
    const { properties } = summarisePage(`<title>${"t".repeat(100_000)}</title>${many.join("")}`);
    expect(Object.keys(properties)).toHaveLength(40);
    expect(Math.max(...Object.values(properties).map((value) => value.length))).toBe(1_000);
  });
});

describe("a page's encoding", () => {
  const latin = Uint8Array.from([0x3c, 0x62, 0x3e, 0xe9]);
  const ascii = (text: string, ...more: number[]) =>
    Uint8Array.from([...new TextEncoder().encode(text), ...more]);

  test.each<[what: string, bytes: Uint8Array<ArrayBuffer>, type: string, text: string]>([
    ["its server's word", latin, "text/html; charset=ISO-8859-1", "<b>é"],
    [
      "its server's word before its own",
      ascii('<meta charset="utf-8">', 0xe9),
      'text/html;charset="latin1"',
      '<meta charset="utf-8">é',
    ],
    ["its own word", ascii('<meta charset="koi8-r">', 0xc1), "text/html", '<meta charset="koi8-r">а'],
    [
      "its own word, of old",
      ascii('<meta http-equiv=Content-Type content="text/html; charset=windows-1251">', 0xc1),
      "",
      '<meta http-equiv=Content-Type content="text/html; charset=windows-1251">Б',
    ],
    [
      "its XML declaration",
      ascii('<?xml version="1.0" encoding="iso-8859-2"?>', 0xb1),
      "",
      '<?xml version="1.0" encoding="iso-8859-2"?>ą',
    ],
    ["UTF-8 where nobody says", ascii("", 0xc3, 0xa9), "text/html", "é"],
    ["UTF-8 where nobody knows what is said", ascii("", 0xc3, 0xa9), "text/html; charset=klingon", "é"],
    ["its mark before all", Uint8Array.from([0xff, 0xfe, 0x41, 0]), "text/html; charset=latin1", "A"],
    [
      "not UTF-16, as it could say so",
      ascii('<meta charset="utf-16">', 0xc3, 0xa9),
      "",
      '<meta charset="utf-16">é',
    ],
  ])("%s", (_, bytes, type, text) => {
    expect(decodePage(bytes, type)).toBe(text);
  });
});
