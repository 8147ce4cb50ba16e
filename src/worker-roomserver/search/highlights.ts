import { fold, tokensOf, wordsOf } from "../../matrix/words.ts";

/** Of an answer: a text may have many forms of a word. */
const MOST_HIGHLIGHTS = 100;

/**
 * What clients are to mark in the texts that were found: the words as they were typed, and as they stand in the texts
 * where accents, case or width differ.
 */
export function highlightsOf(searchTerm: string, texts: readonly string[]): string[] {
  const typed = wordsOf(searchTerm);
  const folded = new Set(typed.map(fold));
  const tokens = new Set(typed.flatMap(tokensOf));
  const highlights = new Set(typed);
  for (const word of texts.flatMap(wordsOf)) {
    if (highlights.size >= MOST_HIGHLIGHTS) break;
    // A word of one token, or the whole of one that is written without spaces.
    const own = fold(word);
    if (folded.has(own) || tokens.has(own)) highlights.add(word);
  }
  return [...highlights].slice(0, MOST_HIGHLIGHTS);
}
