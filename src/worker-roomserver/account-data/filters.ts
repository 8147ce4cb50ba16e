import { encodeBase64Url } from "../../matrix/base64.ts";
import { canonicalBytes } from "../../matrix/canonical-json.ts";
import { notFound } from "../../matrix/errors.ts";
import { parseFilter } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Storage } from "../storage/api.ts";

/** Enough of a SHA-256 that no two filters of one user have the same id. */
const ID_CHARACTERS = 16;

/** The filters that users have defined. An id follows from the content, so equal filters are kept once. */
export class Filters {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** @returns the filter's id @throws MatrixError M_BAD_JSON if it has not the shape of one */
  async create(userId: string, filter: JsonObject): Promise<string> {
    parseFilter(filter);
    const bytes = canonicalBytes(filter, "lenient");
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const id = encodeBase64Url(hash).slice(0, ID_CHARACTERS);
    const user = await this.#storage.names.intern(userId);
    if ((await this.#storage.get("filters", [user, id])) === undefined) {
      const json = JSON.stringify(filter);
      await this.#storage.commit((write) => write.put("filters", json, [user, id]));
    }
    return id;
  }

  /** @throws MatrixError M_NOT_FOUND */
  async get(userId: string, filterId: string): Promise<JsonObject> {
    const user = await this.#storage.names.find(userId);
    const json = user === undefined ? undefined : await this.#storage.get("filters", [user, filterId]);
    if (json === undefined) throw notFound("There is no filter with this ID.");
    return JSON.parse(json);
  }
}
