import {
  type CrossSigningKey,
  readCrossSigningKey,
  requireSignedByMaster,
  USAGES,
  type Usage,
} from "../../matrix/cross-signing.ts";
import { signedText } from "../../matrix/device-keys.ts";
import { forbidden, missingParam } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { UiaChallenge } from "../users/api.ts";
import type { CrossSigningBody } from "./api.ts";
import { tellAll, tellOwn } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { parsed } from "./rows.ts";
import { removeSignatures, takingBack } from "./signature-rows.ts";

type KeysByUsage = ReadonlyMap<Usage, CrossSigningKey>;

/** The keys that a user has now. Three records. */
export async function crossSigningKeysOf(storage: Storage, userId: string): Promise<KeysByUsage> {
  const rows = await Promise.all(USAGES.map((usage) => storage.get("crossSigningKeys", [userId, usage])));
  return new Map(
    USAGES.flatMap((usage, i) => {
      const json = rows[i];
      return json === undefined ? [] : [[usage, readCrossSigningKey(parsed(json), userId, usage)]];
    }),
  );
}

/** @see Keys.uploadCrossSigning */
export async function uploadCrossSigning(
  parts: KeyParts,
  requester: Requester,
  body: CrossSigningBody,
): Promise<JsonObject | UiaChallenge> {
  const { storage, users, oauth, ed25519 } = parts;
  const { userId } = requester;
  const uploaded = keysIn(body, userId);
  // A proof is asked for under the lock as well, since what is there decides whether it is.
  return users.holding([userId], async () => {
    const [present, devices] = await Promise.all([
      crossSigningKeysOf(storage, userId),
      users.devicesOf(userId),
    ]);
    if (devices === undefined) throw forbidden("This account has been deactivated.");
    const master = uploaded.get("master") ?? present.get("master");
    if (master === undefined) throw missingParam("There is no master key, by which the others are signed.");
    for (const [usage, key] of uploaded) {
      if (usage !== "master") await requireSignedByMaster(key, master, userId, ed25519);
      if (devices.some(({ deviceId }) => deviceId === key.publicKey)) {
        throw forbidden("A device has the name of one of these keys.");
      }
    }
    const isNew = (usage: Usage, key: CrossSigningKey) => !isSame(present.get(usage), key);
    const news = new Map([...uploaded].filter(([usage, key]) => isNew(usage, key)));
    if (news.size === 0) return {};
    if (present.has("master") && requester.kind !== "appservice") {
      const challenge = await oauth.confirmCrossSigningReset(requester, purposeOf(news), body.auth);
      if (challenge !== undefined) return challenge;
    }
    await storage.commit(await storing(storage, userId, present, news));
    return {};
  });
}

function keysIn(body: CrossSigningBody, userId: string): KeysByUsage {
  return new Map(
    USAGES.flatMap((usage) => {
      const key = body[`${usage}_key`];
      return key === undefined ? [] : [[usage, readCrossSigningKey(key, userId, usage)]];
    }),
  );
}

function isSame(present: CrossSigningKey | undefined, key: CrossSigningKey): boolean {
  return present !== undefined && signedText(present.json) === signedText(key.json);
}

/** A password that was given for these keys is good for no others. */
function purposeOf(news: KeysByUsage): string {
  return `cross-signing ${[...news.values()].map(({ publicKey }) => publicKey).join(" ")}`;
}

async function storing(
  storage: Storage,
  userId: string,
  present: KeysByUsage,
  news: KeysByUsage,
): Promise<(write: Write) => void> {
  // What a former master key has signed is signed by nobody now.
  const isReset = news.has("master") && present.has("master");
  const gone = [...present].filter(([usage]) => isReset || news.has(usage));
  const user = await storage.names.intern(userId);
  const takeBack = await Promise.all(gone.map(([, { keyId }]) => takingBack(storage, userId, keyId)));
  return (write) => {
    for (const take of takeBack) take(write);
    for (const [usage, { publicKey }] of gone) {
      write.delete("crossSigningKeys", [userId, usage]);
      removeSignatures(write, userId, publicKey);
    }
    for (const [usage, { json }] of news)
      write.put("crossSigningKeys", JSON.stringify(json), [userId, usage]);
    const changed = new Set([...gone.map(([usage]) => usage), ...news.keys()]);
    if (changed.has("master") || changed.has("self_signing")) tellAll(write, user, { what: "signing" });
    else tellOwn(write, user, [user]);
  };
}
