import { forbidden, MatrixError, notFound, suspendedAccount } from "../../matrix/errors.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { ProfileRow } from "../storage/schema.ts";
import type { ProfilesAnnounced } from "./api.ts";
import { checkProfileKey, withField } from "./profile-fields.ts";
import { putProfile } from "./profile-row.ts";
import { noRemoteProfiles, type RemoteProfiles } from "./remote/api.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#profiles */
export class Profiles {
  readonly #storage: Storage;
  readonly #locks: KeyedLock<string>;
  readonly #announced: ProfilesAnnounced;
  readonly #serverName: ServerName;
  readonly #remote: RemoteProfiles;

  constructor(options: {
    storage: Storage;
    serverName: ServerName;
    locks: KeyedLock<string>;
    profilesAnnounced: ProfilesAnnounced;
    remoteProfiles?: RemoteProfiles;
  }) {
    this.#serverName = options.serverName;
    this.#remote = options.remoteProfiles ?? noRemoteProfiles;
    this.#storage = options.storage;
    this.#locks = options.locks;
    this.#announced = options.profilesAnnounced;
  }

  /** @throws MatrixError M_INVALID_PARAM 400 for what is no user id; M_NOT_FOUND 404; as RemoteProfiles for others' */
  async profile(userId: string): Promise<JsonObject> {
    if (serverNameOf(parseUserId(userId)) !== this.#serverName) return this.#remote.profile(userId);
    const [profile, account] = await this.#storage.read(["profiles", "accounts"], (tx) =>
      Promise.all([tx.objectStore("profiles").get(userId), tx.objectStore("accounts").get(userId)]),
    );
    if (profile !== undefined) return JSON.parse(profile.json) as JsonObject;
    if (account === undefined || account.deactivated) throw notFound("There is no such user here.");
    return {};
  }

  async memberProfile(userId: string): Promise<JsonObject> {
    const { displayname, avatar_url } = fieldsOf(await this.#row(userId));
    return {
      ...(displayname !== undefined && { displayname }),
      ...(avatar_url !== undefined && { avatar_url }),
    };
  }

  /**
   * @param value - undefined removes the field
   * @throws MatrixError M_FORBIDDEN, M_USER_SUSPENDED, M_GUEST_ACCESS_FORBIDDEN 403; see profile-fields.ts for the rest
   */
  async setField(
    requester: Requester,
    userId: string,
    field: string,
    value: JsonValue | undefined,
  ): Promise<void> {
    checkProfileKey(field);
    if (requester.userId !== userId) throw forbidden("Only your own profile is yours to change.");
    if (requester.suspended) throw suspendedAccount();
    if (requester.kind === "guest" && field !== "displayname") {
      throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", 403, "Guests may change their display name only.");
    }
    const user = await this.#storage.names.intern(userId);
    const position = await this.#locks.run(userId, async () => {
      const row = await this.#row(userId);
      const before = fieldsOf(row);
      const profile = withField(before, field, value);
      // Perhaps the leader before this one stored it and died: then the rooms may still have to hear of it.
      if (JSON.stringify(profile) === JSON.stringify(before)) return row?.p ?? 0;
      return this.#storage.commit((write) =>
        putProfile(write, { userId: requester.userId, user, profile, field }),
      );
    });
    try {
      // Outside the lock: rooms take their time, and a login need not wait for them.
      await this.#announced(position);
    } catch (error) {
      console.error("hearth: a changed profile is stored, and will reach the rooms later", error);
    }
  }

  #row(userId: string): Promise<ProfileRow | undefined> {
    return this.#storage.get("profiles", userId);
  }
}

const fieldsOf = (row: ProfileRow | undefined): JsonObject =>
  row === undefined ? {} : (JSON.parse(row.json) as JsonObject);
