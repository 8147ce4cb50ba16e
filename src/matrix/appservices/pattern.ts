import { invalidParam } from "../errors.ts";
import { type PatternNode, parsePattern } from "./pattern-syntax.ts";

/** One step of an automaton. It goes on with the next step, or where `to` says. */
type Step =
  | { kind: "set"; has: (point: number) => boolean }
  | { kind: "start" | "end" | "match" }
  | { kind: "go"; to: number[] };

/** With ids of 255 bytes at most a match then takes a million steps at the very worst, which is milliseconds. */
const MAX_STEPS = 4_000;

/**
 * A regular expression that is matched in time proportional to its length times that of the id, whatever it says: all
 * ways to match go on side by side, and none is tried twice. The engine of the browser goes back and tries anew, which a
 * pattern like `(a|a)*b` or `.*.*.*.*x` lets it do for ever, and the whole homeserver would wait for it.
 */
export class Pattern {
  readonly #steps: Step[];

  /** @throws {MatrixError} M_INVALID_PARAM (400) for what is not understood, or too large */
  constructor(text: string) {
    this.#steps = [];
    this.#add(parsePattern(text));
    this.#push({ kind: "match" });
  }

  /** How much work a match is at most, for each character. */
  get size(): number {
    return this.#steps.length;
  }

  /** Whether the text begins with what the pattern says: as is customary for namespaces, its end may be anything. */
  matchesStartOf(text: string): boolean {
    const points = [...text].map((character) => character.codePointAt(0)!);
    let current = this.#reach([0], 0, points.length);
    for (const [at, point] of points.entries()) {
      if (current === "match") return true;
      if (current.length === 0) return false;
      const next: number[] = [];
      for (const index of current) {
        const step = this.#steps[index]!;
        if (step.kind === "set" && step.has(point)) next.push(index + 1);
      }
      current = this.#reach(next, at + 1, points.length);
    }
    return current === "match";
  }

  /** The sets that wait for the next character, each once; or that all has been matched. */
  #reach(from: number[], at: number, length: number): number[] | "match" {
    const seen = new Set<number>();
    const waiting: number[] = [];
    const open = from;
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const step = this.#steps[index]!;
      if (step.kind === "match") return "match";
      if (step.kind === "set") waiting.push(index);
      else if (step.kind === "go") open.push(...step.to);
      else if (step.kind === "start" ? at === 0 : at === length) open.push(index + 1);
    }
    return waiting;
  }

  #push(step: Step): number {
    if (this.#steps.length === MAX_STEPS)
      throw invalidParam("The pattern is too large to be matched quickly.");
    return this.#steps.push(step) - 1;
  }

  #add(node: PatternNode): void {
    switch (node.kind) {
      case "set":
      case "start":
      case "end":
        this.#push(node);
        return;
      case "all":
        // Also for none: each node takes a step, so that the limit holds for repetitions of nothing too.
        this.#push({ kind: "go", to: [this.#steps.length + 1] });
        for (const part of node.parts) this.#add(part);
        return;
      case "any":
        this.#addAny(node.parts);
        return;
      case "repeat":
        this.#addRepeat(node);
    }
  }

  #addAny(parts: PatternNode[]): void {
    const fork: { kind: "go"; to: number[] } = { kind: "go", to: [] };
    const ends: { kind: "go"; to: number[] }[] = [];
    this.#push(fork);
    for (const part of parts) {
      fork.to.push(this.#steps.length);
      this.#add(part);
      const end: (typeof ends)[number] = { kind: "go", to: [] };
      this.#push(end);
      ends.push(end);
    }
    for (const end of ends) end.to.push(this.#steps.length);
  }

  #addRepeat({ node, least, most }: { node: PatternNode; least: number; most: number }): void {
    for (let times = 0; times < least; times++) this.#add(node);
    if (most === Number.POSITIVE_INFINITY) {
      const fork: { kind: "go"; to: number[] } = { kind: "go", to: [] };
      const begin = this.#push(fork);
      this.#add(node);
      this.#push({ kind: "go", to: [begin] });
      fork.to.push(begin + 1, this.#steps.length);
      return;
    }
    const forks: { kind: "go"; to: number[] }[] = [];
    for (let times = least; times < most; times++) {
      const fork: (typeof forks)[number] = { kind: "go", to: [] };
      fork.to.push(this.#push(fork) + 1);
      forks.push(fork);
      this.#add(node);
    }
    for (const fork of forks) fork.to.push(this.#steps.length);
  }
}
