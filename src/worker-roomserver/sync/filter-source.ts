import { invalidParam, MatrixError, notJson } from "../../matrix/errors.ts";
import { type Filter, parseFilter } from "../../matrix/filters.ts";
import type { AccountDataForReaders } from "../account-data/api.ts";
import { Lru } from "../storage/lru.ts";

/** Lets everything through. */
export const noFilter = parseFilter({});

/** Finds the filter of a request. Stored filters never change, so they are parsed once. */
export class FilterSource {
  readonly #accountData: AccountDataForReaders;
  readonly #parsed = new Lru<string, Filter>(1_000);

  constructor(accountData: AccountDataForReaders) {
    this.#accountData = accountData;
  }

  /**
   * @param filter - an id, or the filter itself when it begins with a brace
   * @throws MatrixError M_INVALID_PARAM for an unknown id, M_NOT_JSON, M_BAD_JSON
   */
  async find(userId: string, filter: string | undefined): Promise<Filter> {
    if (filter === undefined || filter === "") return noFilter;
    if (filter.startsWith("{")) return parseFilter(parseJson(filter));
    const key = `${userId} ${filter}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const parsed = parseFilter(await this.#stored(userId, filter));
    this.#parsed.set(key, parsed);
    return parsed;
  }

  async #stored(userId: string, filterId: string): Promise<unknown> {
    try {
      return await this.#accountData.filter(userId, filterId);
    } catch (error) {
      // A 404 on /sync would read as "this server has no /sync".
      if (error instanceof MatrixError && error.errcode === "M_NOT_FOUND") {
        throw invalidParam('"filter" is neither a filter of this user nor JSON. Filters begin with "{".');
      }
      throw error;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson('"filter" begins with "{" but is not JSON.');
  }
}
