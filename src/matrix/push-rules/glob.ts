import { matchesWildcards } from "../wildcards.ts";

/**
 * Whether the whole of `text` matches a glob, whatever its case.
 * @param pattern - `*` stands for any number of characters, `?` for one; there are no escapes
 * @see https://spec.matrix.org/v1.19/appendices/#glob-style-matching
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const [glob, characters] = [pattern.toLowerCase(), text.toLowerCase()];
  // Long lists of these are gone through for each event that comes in.
  if (!glob.includes("?")) return matchesWildcards(glob, characters);
  return walk([...glob], [...characters], {
    mayBegin: (at) => at === 0,
    mayEnd: (at, length) => at === length,
  });
}

/**
 * Whether some part of `text` between two word boundaries matches a glob, whatever its case.
 * @see https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export function containsGlob(pattern: string, text: string): boolean {
  const [glob, value] = [pattern.toLowerCase(), text.toLowerCase()];
  if (!hasWildcards(glob)) return containsWord(glob, value);
  const characters = [...value];
  const atBoundary = (at: number) => isBoundary(characters, at);
  return walk([...glob], characters, { mayBegin: atBoundary, mayEnd: atBoundary });
}

/** Whether `word`, taken literally, stands in `text` between two word boundaries, whatever its case. */
export function containsLiteral(word: string, text: string): boolean {
  return containsWord(word.toLowerCase(), text.toLowerCase());
}

const hasWildcards = (glob: string) => /[*?]/.test(glob);

function containsWord(word: string, text: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (isBoundary(text, at) && isBoundary(text, at + word.length)) return true;
  }
  return false;
}

/** Whether a word may begin or end before the character at `at`: at an end, or beside one that is in no word. */
function isBoundary(text: ArrayLike<string>, at: number): boolean {
  return at === 0 || at === text.length || !isWordCharacter(text[at - 1]!) || !isWordCharacter(text[at]!);
}

/** One character, already in lower case. */
const isWordCharacter = (character: string) => /^[a-z0-9_]$/.test(character);

type Ends = { mayBegin: (at: number) => boolean; mayEnd: (at: number, length: number) => boolean };

/**
 * Follows all ways to match at once, so that the time is the product of the lengths at most: the patterns are the
 * users', and a regular expression of many stars can take for ever.
 */
function walk(glob: readonly string[], text: readonly string[], ends: Ends): boolean {
  // reached[i]: the first i signs of the glob can match a stretch that ends here.
  let reached = new Array<boolean>(glob.length + 1).fill(false);
  for (let at = 0; at <= text.length; at++) {
    if (ends.mayBegin(at)) reached[0] = true;
    for (let i = 0; i < glob.length; i++) if (reached[i] && glob[i] === "*") reached[i + 1] = true;
    if (reached[glob.length] && ends.mayEnd(at, text.length)) return true;
    reached = step(glob, reached, text[at]);
  }
  return false;
}

function step(
  glob: readonly string[],
  reached: readonly boolean[],
  character: string | undefined,
): boolean[] {
  const next = new Array<boolean>(reached.length).fill(false);
  for (let i = 0; i < glob.length; i++) {
    if (!reached[i]) continue;
    if (glob[i] === "*") next[i] = true;
    else if (glob[i] === "?" || glob[i] === character) next[i + 1] = true;
  }
  return next;
}
