/*
 * What counts as the same word. Changing anything here makes another index of it: see VERSION in worker-roomserver/search/indexer.ts.
 */

/** A word as it stands in a text: letters and digits that hang together, an emoji, a flag. */
const WORD = /\p{RI}\p{RI}|\p{Extended_Pictographic}|[\p{L}\p{N}\p{M}]+/gu;

/**
 * Where words are written without spaces between them, or grow long by endings, each character is a token of its own.
 * What is looked for is then a phrase of them, so that it is found wherever it stands.
 */
const UNSPACED =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}]";
const TOKEN = new RegExp(
  `\\p{RI}\\p{RI}|\\p{Extended_Pictographic}|${UNSPACED}|(?:(?!${UNSPACED})[\\p{L}\\p{N}\\p{M}])+`,
  "gu",
);

/**
 * Marks that people leave out: accents and vowel points. Not those that make another letter of one (vowel signs of
 * Indic scripts, the voicing of kana).
 */
const OPTIONAL_MARKS =
  /(?![\u3099\u309a])\p{Script=Inherited}|[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]/gu;
const ASCII = /^[\0-\x7f]*$/;

/** A text without what does not tell words apart: case, accents, width, ways to write the same letter. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return (
    text
      .normalize("NFKD")
      .replace(OPTIONAL_MARKS, "")
      // Twice, as some letters have no capital of their own, or one that is two: ß is SS.
      .toUpperCase()
      .toLowerCase()
      .replaceAll("ς", "σ")
      .normalize("NFKC")
  );
}

/** The words of a text as they stand in it. */
export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** The folded tokens of a text, in their order. */
export function tokensOf(text: string): string[] {
  // Folded by the word: emoji and marks between words fold to nothing that could join them.
  return wordsOf(text).flatMap((word) => fold(word).match(TOKEN) ?? []);
}

/** Stands between two texts, so that no phrase reaches over from one to the other. */
export const GAP = 0;

/**
 * A token as a number: 1 to 2³² − 1. Two words with one number are found for each other: among 100,000 words one
 * query in 40,000 meets such a pair.
 */
export function hashOf(token: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = (hash ^ (hash >>> 13)) >>> 0;
  return hash === GAP ? 1 : hash;
}
