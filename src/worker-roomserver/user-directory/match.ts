import { fold, tokensOf } from "../../matrix/words.ts";

/** A user as a room knows them. */
export type Person = { userId: string; displayName: string | undefined; avatarUrl: string | undefined };

/** A person with what is looked through. */
export type Listed = Person & {
  folded: { userId: string; localpart: string; name: string; words: string[] };
};

/** A term as it is looked for. */
export type Term = { text: string; words: string[] };

export function listed(person: Person): Listed {
  const userId = fold(person.userId);
  const localpart = userId.slice(1, userId.includes(":") ? userId.indexOf(":") : undefined);
  const name = fold(person.displayName ?? "").trim();
  return {
    ...person,
    folded: { userId, localpart, name, words: [...tokensOf(name), ...tokensOf(localpart)] },
  };
}

/** @returns undefined for a term that says nothing */
export function parseTerm(term: string): Term | undefined {
  const text = fold(term).trim();
  return text === "" || text === "@" ? undefined : { text, words: tokensOf(text) };
}

/**
 * How well somebody matches, the best first: 0 by the whole name or id, 1 by how one of them begins, 2 by how words of
 * them begin, 3 by what is somewhere in them. Undefined: not at all.
 */
export function rankOf({ folded }: Listed, { text, words }: Term): 0 | 1 | 2 | 3 | undefined {
  const { userId, localpart, name } = folded;
  const whole = [name, localpart, userId, `@${localpart}`];
  if (whole.includes(text)) return 0;
  if (whole.some((one) => one.startsWith(text))) return 1;
  const isBegun = (word: string) => folded.words.some((own) => own.startsWith(word));
  if (words.length > 0 && words.every(isBegun)) return 2;
  return name.includes(text) || userId.includes(text) ? 3 : undefined;
}

export type Ranked = { person: Listed; rank: number };

/** By rank, then whether they have a profile, then by name and id: the same order each time. */
export function compareRanked(one: Ranked, other: Ranked): number {
  return (
    one.rank - other.rank ||
    Number(hasProfile(other.person)) - Number(hasProfile(one.person)) ||
    compareTexts(one.person.folded.name, other.person.folded.name) ||
    compareTexts(one.person.userId, other.person.userId)
  );
}

const hasProfile = ({ displayName, avatarUrl }: Person) =>
  displayName !== undefined || avatarUrl !== undefined;

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
