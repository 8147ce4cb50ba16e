import { invalidParam } from "../../matrix/errors.ts";
import { hashOf, tokensOf } from "../../matrix/words.ts";

/** Tokens that have to follow one another, hashed. */
export type Phrase = Uint32Array;

/** More tokens than anybody types; a search costs as many comparisons in the worst case. */
const MOST_TOKENS = 200;

/**
 * What a text has to have to be found: all of the phrases. What stands in quotes is one phrase, and so is what stands
 * without a space (`matrix.org`, `don't`, a word of Chinese).
 * @throws MatrixError M_INVALID_PARAM (400) for a term of more than 200 words
 */
export function parseSearchTerm(term: string): Phrase[] {
  const phrases: Phrase[] = [];
  let count = 0;
  for (const [, quoted, bare] of term.matchAll(/"([^"]*)"|([^\s"]+)/gu)) {
    const tokens = tokensOf(quoted ?? bare ?? "");
    count += tokens.length;
    if (count > MOST_TOKENS) throw invalidParam(`"search_term" has more than ${MOST_TOKENS} words.`);
    if (tokens.length > 0) phrases.push(Uint32Array.from(tokens, hashOf));
  }
  return phrases;
}
