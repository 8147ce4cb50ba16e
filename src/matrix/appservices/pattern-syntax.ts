import { invalidParam } from "../errors.ts";

/** A pattern as a tree. `set`: one character of those. `all`: one after the other; `any`: one of them. */
export type PatternNode =
  | { kind: "set"; has: (point: number) => boolean }
  | { kind: "start" | "end" }
  | { kind: "all" | "any"; parts: PatternNode[] }
  | { kind: "repeat"; node: PatternNode; least: number; most: number };

type Has = (point: number) => boolean;

/** Namespaces are short; a list of some hundred names is the longest that has been seen. */
const MAX_LENGTH = 4_000;
/** No id is longer. */
const MAX_REPEAT = 255;
const MAX_DEPTH = 50;

const between =
  (first: number, last: number): Has =>
  (point) =>
    point >= first && point <= last;
const among =
  (characters: string): Has =>
  (point) =>
    characters.includes(String.fromCodePoint(point));
const either =
  (...sets: Has[]): Has =>
  (point) =>
    sets.some((has) => has(point));
const not =
  (has: Has): Has =>
  (point) =>
    !has(point);

const digit = between(0x30, 0x39);
const lower = between(0x61, 0x7a);
const upper = between(0x41, 0x5a);
const space = among(" \t\n\r\f\v");
const word = either(digit, lower, upper, among("_"));

const classEscapes: Readonly<Record<string, Has>> = {
  d: digit,
  D: not(digit),
  w: word,
  W: not(word),
  s: space,
  S: not(space),
};
const controls: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" };
const posixClasses: Readonly<Record<string, Has>> = {
  alpha: either(lower, upper),
  digit,
  alnum: either(digit, lower, upper),
  lower,
  upper,
  space,
  blank: among(" \t"),
  punct: either(between(0x21, 0x2f), between(0x3a, 0x40), between(0x5b, 0x60), between(0x7b, 0x7e)),
  xdigit: either(digit, between(0x61, 0x66), between(0x41, 0x46)),
  word,
};

/**
 * Reads a regular expression: what POSIX, Python and JavaScript have in common, which is all that bridges use. What
 * cannot be matched in linear time (look-around, back-references) is refused, and so is what those understand in
 * different ways.
 * @throws {MatrixError} M_INVALID_PARAM (400) with a sentence that says what is not understood
 */
export function parsePattern(text: string): PatternNode {
  return new PatternParser(text).parse();
}

class PatternParser {
  readonly #text: string;
  readonly #points: string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    if (text.length > MAX_LENGTH) throw invalidParam(`A pattern has at most ${MAX_LENGTH} characters.`);
    this.#text = text;
    this.#points = [...text];
  }

  parse(): PatternNode {
    const node = this.#options();
    if (this.#at < this.#points.length) throw this.#refusal("has a ) too many");
    return node;
  }

  #options(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0]! : { kind: "any", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (;;) {
      const next = this.#points[this.#at];
      if (next === undefined || next === "|" || next === ")") return { kind: "all", parts };
      parts.push(this.#repeated());
    }
  }

  #repeated(): PatternNode {
    const node = this.#atom();
    const times = this.#times();
    if (times === undefined) return node;
    if (node.kind === "start" || node.kind === "end") throw this.#refusal("repeats an anchor");
    // Greedy or not: which ids match is the same.
    this.#take("?");
    if (this.#times() !== undefined) throw this.#refusal("repeats a repetition");
    return { kind: "repeat", node, ...times };
  }

  #times(): { least: number; most: number } | undefined {
    if (this.#take("*")) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { least: 0, most: 1 };
    const braces = /^\{(\d{1,9})(,(\d{0,9}))?\}/.exec(this.#points.slice(this.#at, this.#at + 22).join(""));
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const least = Number(braces[1]);
    const most =
      braces[2] === undefined ? least : braces[3] === "" ? Number.POSITIVE_INFINITY : Number(braces[3]);
    const largest = most === Number.POSITIVE_INFINITY ? least : most;
    if (least > most || largest > MAX_REPEAT) throw this.#refusal(`repeats up to ${MAX_REPEAT} times only`);
    return { least, most };
  }

  #atom(): PatternNode {
    const character = this.#points[this.#at++]!;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", has: this.#class() };
      case ".":
        return { kind: "set", has: () => true };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "\\":
        return { kind: "set", has: this.#escape() };
      case "*":
      case "+":
      case "?":
        throw this.#refusal("repeats nothing");
    }
    return { kind: "set", has: among(character) };
  }

  #group(): PatternNode {
    if (this.#take("?")) {
      const opening = /^(:|P?<[A-Za-z_]\w*>)/.exec(this.#points.slice(this.#at, this.#at + 100).join(""));
      if (opening === null) throw this.#refusal("has a group of a kind that is not understood here");
      this.#at += opening[0].length;
    }
    if (++this.#depth > MAX_DEPTH) throw this.#refusal(`has groups in groups, more than ${MAX_DEPTH} deep`);
    const node = this.#options();
    if (!this.#take(")")) throw this.#refusal("has a ( too many");
    this.#depth -= 1;
    return node;
  }

  #escape(): Has {
    const character = this.#points[this.#at++];
    if (character === undefined) throw this.#refusal("ends in a backslash");
    const named = classEscapes[character];
    if (named !== undefined) return named;
    return among(this.#literal(character));
  }

  /** What a backslash and this character stand for, where that is one character. */
  #literal(character: string): string {
    const control = controls[character];
    if (control !== undefined) return control;
    if (/[A-Za-z0-9]/.test(character))
      throw this.#refusal(`has \\${character}, which is not understood here`);
    return character;
  }

  #class(): Has {
    const isNegated = this.#take("^");
    const sets: Has[] = [];
    for (let isFirst = true; ; isFirst = false) {
      const character = this.#points[this.#at];
      if (character === undefined) throw this.#refusal("has a [ too many");
      this.#at += 1;
      if (character === "]" && !isFirst) break;
      sets.push(this.#member(character));
    }
    const has = either(...sets);
    return isNegated ? not(has) : has;
  }

  #member(character: string): Has {
    if (character === "[" && this.#points[this.#at] === ":") {
      const named = /^:([a-z]+):\]/.exec(this.#points.slice(this.#at, this.#at + 20).join(""));
      const has = named === null ? undefined : posixClasses[named[1]!];
      if (has === undefined) throw this.#refusal("has a class that is not understood here");
      this.#at += named![0].length;
      return has;
    }
    const escaped = character === "\\" ? this.#points[this.#at] : undefined;
    if (escaped !== undefined && classEscapes[escaped] !== undefined) return this.#escape();
    const first = this.#one(character);
    const isRange = this.#points[this.#at] === "-" && !["]", undefined].includes(this.#points[this.#at + 1]);
    if (!isRange) return among(first);
    this.#at += 1;
    const last = this.#one(this.#points[this.#at++]!);
    const [from, to] = [first.codePointAt(0)!, last.codePointAt(0)!];
    if (from > to) throw this.#refusal(`has the range ${first}-${last}, which is empty`);
    return between(from, to);
  }

  #one(character: string): string {
    if (character !== "\\") return character;
    const escaped = this.#points[this.#at++];
    if (escaped === undefined) throw this.#refusal("ends in a backslash");
    return this.#literal(escaped);
  }

  #take(character: string): boolean {
    if (this.#points[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #refusal(what: string) {
    return invalidParam(`The pattern ${JSON.stringify(this.#text.slice(0, 200))} ${what}.`);
  }
}
