import { invalidParam } from "../errors.ts";
import { Pattern } from "./pattern.ts";

/** @see https://spec.matrix.org/v1.19/application-service-api/#registration */
export type Namespace = { regex: string; exclusive: boolean };
export type NamespaceKind = "users" | "aliases" | "rooms";
export type Namespaces = Record<NamespaceKind, Namespace[]>;

/** Of all patterns of one kind together: what an id costs to be looked up in them. */
const MAX_SIZE = 8_000;

/** `all`: the ids that a service is interested in; `exclusive`: those that are its alone. */
export type NamespaceMatch = { all: boolean; exclusive: boolean };

/** The patterns of one kind, ready to match. */
export class NamespacePatterns {
  readonly #patterns: { pattern: Pattern; exclusive: boolean }[];

  /** @throws {MatrixError} M_INVALID_PARAM (400) for a pattern that is not understood, or too much of them */
  constructor(namespaces: readonly Namespace[]) {
    let size = 0;
    this.#patterns = namespaces.map(({ regex, exclusive }) => {
      const pattern = new Pattern(regex);
      size += pattern.size;
      if (size > MAX_SIZE) throw invalidParam("The namespaces are too large to be matched quickly.");
      return { pattern, exclusive };
    });
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** @param id - of at most 255 bytes */
  match(id: string): NamespaceMatch {
    const matching = this.#patterns.filter(({ pattern }) => pattern.matchesStartOf(id));
    return { all: matching.length > 0, exclusive: matching.some(({ exclusive }) => exclusive) };
  }
}
