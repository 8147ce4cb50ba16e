import { isJsonObject, type JsonValue } from "../../../matrix/json.ts";
import type { Storage } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { Edu } from "../api.ts";
import { nameOf, type WaitingEdu } from "./waiting.ts";

/** Characters of EDUs that are at hand. */
const KEPT = 1_000_000;

/**
 * The bodies of the EDUs that wait. One goes to many servers, mostly right after it was made, when its rows are still on
 * their way to the disk.
 */
export class EduBodies {
  readonly #storage: Storage;
  readonly #kept = new Lru<string, string>(KEPT, (json) => json.length);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  add(edu: Omit<WaitingEdu, "key">, json: string): void {
    this.#kept.set(nameOf(edu), json);
  }

  /** From memory, or one read for each. @returns in the order asked for, undefined where there is none any more */
  async of(server: string, edus: readonly WaitingEdu[]): Promise<(Edu | undefined)[]> {
    const texts = await Promise.all(
      edus.map(async (edu) => this.#kept.get(nameOf(edu)) ?? (await this.#read(server, edu))),
    );
    return texts.map((text) => (text === undefined ? undefined : eduFrom(text)));
  }

  async #read(server: string, edu: WaitingEdu): Promise<string | undefined> {
    const stored = await this.#stored(server, edu);
    if (stored !== undefined) return stored;
    // Rows of readers go to the disk when there is nothing else to do.
    await this.#storage.flushed();
    return this.#stored(server, edu);
  }

  async #stored(server: string, { position, n }: WaitingEdu): Promise<string | undefined> {
    const row = await this.#storage.get("outgoing", [server, position, n]);
    return row !== undefined && "edu" in row ? row.edu : undefined;
  }
}

function eduFrom(text: string): Edu | undefined {
  const { edu_type: type, content } = JSON.parse(text) as Record<string, JsonValue>;
  return typeof type === "string" && isJsonObject(content) ? { edu_type: type, content } : undefined;
}
