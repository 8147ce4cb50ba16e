import { unknown } from "../../../matrix/errors.ts";
import { parseUserId, serverNameOf } from "../../../matrix/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../matrix/json.ts";
import { Lru } from "../../storage/lru.ts";
import type { RemoteProfiles } from "../../users/remote/api.ts";
import type { FederationContext } from "../context.ts";
import { asMatrixError } from "./failures.ts";

/** Clients ask for the same profile again and again, and a name changes seldom. Milliseconds. */
const FRESH_MS = 10 * 60_000;
/** What is older is still better than nothing, when its server is not there. */
const KEPT_MS = 24 * 60 * 60_000;
/** Characters of all that is kept. */
const KEPT_CHARACTERS = 2_000_000;
const TIMEOUT_MS = 10_000;
/** A profile has less than 64 KiB. */
const MAX_BYTES = 128 * 1024;

type Known = { at: number; json: string };

/** Asks the servers of users for their profiles, each once for all who want it, and remembers what they say a while. */
export function remoteProfiles({ client, now }: Pick<FederationContext, "client" | "now">): RemoteProfiles {
  const known = new Lru<string, Known>(KEPT_CHARACTERS, ({ json }) => json.length);
  const underWay = new Map<string, Promise<JsonObject>>();

  async function ask(userId: string): Promise<JsonObject> {
    const destination = serverNameOf(parseUserId(userId));
    const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}`;
    try {
      const { json } = await client.request({
        ...{ method: "GET", destination, uri, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES },
      });
      if (!isJsonObject(json)) throw unknown(`${destination} answers with what is no profile.`, 502);
      const profile = readProfile(json);
      known.set(userId, { at: now(), json: JSON.stringify(profile) });
      return profile;
    } catch (error) {
      const failure = asMatrixError(error, "There is no such user on their server.");
      const earlier = known.get(userId);
      if (failure.status < 500) known.delete(userId);
      else if (earlier !== undefined && now() - earlier.at < KEPT_MS) return parsed(earlier);
      throw failure;
    }
  }

  return {
    profile(userId) {
      const fresh = known.get(userId);
      if (fresh !== undefined && now() - fresh.at < FRESH_MS) return Promise.resolve(parsed(fresh));
      const same = underWay.get(userId);
      if (same !== undefined) return same;
      const asked = ask(userId).finally(() => underWay.delete(userId));
      underWay.set(userId, asked);
      return asked;
    },
  };
}

const parsed = ({ json }: Known) => JSON.parse(json) as JsonObject;

/** Names and avatars are shown as they are: what is no text is left out. Of other fields clients know what they are. */
function readProfile({ displayname, avatar_url, ...others }: JsonObject): JsonObject {
  return { ...others, ...textOnly("displayname", displayname), ...textOnly("avatar_url", avatar_url) };
}

const textOnly = (name: string, value: JsonValue | undefined): JsonObject =>
  typeof value === "string" && value !== "" ? { [name]: value } : {};
