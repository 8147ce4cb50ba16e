import { describe, expect, test } from "vitest";
import { fold, GAP, hashOf, tokensOf } from "../../../src/matrix/words.ts";
import { highlightsOf } from "../../../src/worker-roomserver/search/highlights.ts";
import { parseSearchTerm } from "../../../src/worker-roomserver/search/terms.ts";

describe("words that are the same", () => {
  test.each([
    ["Straße", "STRASSE"],
    ["Café", "cafe"],
    ["Cafe\u0301", "café"],
    ["ΟΔΟΣ", "οδος"],
    ["Ｗｉｄｅ", "wide"],
    ["ﬁne", "fine"],
    ["İstanbul", "istanbul"],
    ["Ёлка", "елка"],
    ["שָׁלוֹם", "שלום"],
    ["مُحَمَّد", "محمد"],
    ["ｶﾞ", "ガ"],
  ])("%s and %s", (one, other) => {
    expect(tokensOf(one)).toEqual(tokensOf(other));
    expect(tokensOf(one).length).toBeGreaterThan(0);
  });

  test.each([
    ["か", "が"],
    ["का", "की"],
    ["👍", "👎"],
    ["🇩🇪", "🇫🇷"],
  ])("but not %s and %s", (one, other) => {
    expect(tokensOf(one)).not.toEqual(tokensOf(other));
  });
});

test("texts fall into words, emoji, and characters where no spaces are written", () => {
  expect(tokensOf("Hello, wörld! (v1.2) foo_bar")).toEqual(["hello", "world", "v1", "2", "foo", "bar"]);
  expect(tokensOf("東京タワーへ行く")).toEqual(["東", "京", "タ", "ワ", "ー", "へ", "行", "く"]);
  expect(tokensOf("ok👍🏽👨‍👩‍👧🇩🇪")).toEqual(["ok", "👍", "👨", "👩", "👧", "🇩🇪"]);
  expect(tokensOf("서울에서")).toEqual(["서", "울", "에", "서"]);
  expect(tokensOf("\ud800 ... \u200d")).toEqual([]);
});

test("folding what is folded changes nothing", () => {
  for (const text of ["Straße", "ΟΔΟΣ", "İ", "ﬁ", "がカﾞ", "½", "Ⅷ", "ǰ"])
    expect(fold(fold(text))).toBe(fold(text));
});

test("a term is its words, and what is in quotes or written together is one phrase", () => {
  const words = (term: string) => parseSearchTerm(term).map((phrase) => [...phrase]);
  const hashes = (...tokens: string[]) => tokens.map(hashOf);
  expect(words('red "green  blue" matrix.org 東京')).toEqual([
    hashes("red"),
    hashes("green", "blue"),
    hashes("matrix", "org"),
    hashes("東", "京"),
  ]);
  expect(words('  ... "" ')).toEqual([]);
  expect(words('open "quote')).toEqual([hashes("open"), hashes("quote")]);
  expect(() => parseSearchTerm("a ".repeat(201))).toThrow(
    expect.objectContaining({ errcode: "M_INVALID_PARAM" }),
  );
});

test("no token has the number that stands between texts", () => {
  for (let i = 0; i < 1_000; i++) expect(hashOf(`w${i}`)).not.toBe(GAP);
});

test("highlights are the words as typed, and as they stand in the texts", () => {
  expect(highlightsOf("cafe 東京", ["Zum CAFÉ und zum Café", "東京へ"])).toEqual([
    "cafe",
    "東京",
    "CAFÉ",
    "Café",
  ]);
});
