import { forbidden, MatrixError, notFound } from "../../matrix/errors.ts";
import { parseUserId } from "../../matrix/identifiers.ts";
import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import { checkProfileKey, withField } from "./profile-fields.ts";
import { putProfile } from "./profile-row.ts";

type ProfileListener = (userId: string) => Promise<void>;

/** @see https://spec.matrix.org/v1.19/client-server-api/#profiles */
export class Profiles {
  readonly #storage: Storage;
  readonly #locks: KeyedLock<string>;
  readonly #listeners: ProfileListener[] = [];

  constructor(storage: Storage, locks: KeyedLock<string>) {
    this.#storage = storage;
    this.#locks = locks;
  }

  onChanged(listener: ProfileListener): void {
    this.#listeners.push(listener);
  }

  /** @throws MatrixError M_INVALID_PARAM 400 for what is no user id; M_NOT_FOUND 404 */
  async profile(userId: string): Promise<JsonObject> {
    parseUserId(userId);
    const [profile, account] = await this.#storage.read(["profiles", "accounts"], (tx) =>
      Promise.all([tx.objectStore("profiles").get(userId), tx.objectStore("accounts").get(userId)]),
    );
    if (profile !== undefined) return JSON.parse(profile.json) as JsonObject;
    if (account === undefined || account.deactivated) throw notFound("There is no such user here.");
    return {};
  }

  async memberProfile(userId: string): Promise<JsonObject> {
    const { displayname, avatar_url } = await this.#stored(userId);
    return {
      ...(displayname !== undefined && { displayname }),
      ...(avatar_url !== undefined && { avatar_url }),
    };
  }

  /**
   * @param value - undefined removes the field
   * @throws MatrixError M_FORBIDDEN, M_GUEST_ACCESS_FORBIDDEN 403; see profile-fields.ts for the rest
   */
  async setField(
    requester: Requester,
    userId: string,
    field: string,
    value: JsonValue | undefined,
  ): Promise<void> {
    checkProfileKey(field);
    if (requester.userId !== userId) throw forbidden("Only your own profile is yours to change.");
    if (requester.kind === "guest" && field !== "displayname") {
      throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", 403, "Guests may change their display name only.");
    }
    const user = await this.#storage.names.intern(userId);
    // Not the account's own lock: member events take their time, and a login need not wait for them.
    await this.#locks.run(`profile ${userId}`, async () => {
      const before = await this.#stored(userId);
      const profile = withField(before, field, value);
      if (JSON.stringify(profile) === JSON.stringify(before)) return;
      await this.#storage.commit((write) =>
        putProfile(write, { userId: requester.userId, user, profile, field }),
      );
      if (field === "displayname" || field === "avatar_url") await this.#tell(userId);
    });
  }

  async #stored(userId: string): Promise<JsonObject> {
    const row = await this.#storage.db.get("profiles", userId);
    return row === undefined ? {} : (JSON.parse(row.json) as JsonObject);
  }

  /** The profile is stored by now: a listener that fails does not undo it. */
  async #tell(userId: string): Promise<void> {
    for (const told of await Promise.allSettled(this.#listeners.map((listener) => listener(userId)))) {
      if (told.status === "rejected") {
        console.error("hearth: a changed profile did not reach every room", told.reason);
      }
    }
  }
}
