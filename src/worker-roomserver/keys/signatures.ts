import { type CrossSigningKey, readCrossSigningKey } from "../../matrix/cross-signing.ts";
import { deviceSigningKey, invalidSignature, signaturesOf, signedText } from "../../matrix/device-keys.ts";
import { invalidParam, MatrixError, notFound } from "../../matrix/errors.ts";
import { parseUserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { verifySignedJson } from "../../matrix/signing.ts";
import type { Requester } from "../node/requester.ts";
import type { KeySignatureRow, Nid } from "../storage/schema.ts";
import type { SignatureFailures, SignedKeys } from "./api.ts";
import { crossSigningKeysOf } from "./cross-signing.ts";
import { groupBy } from "./group.ts";
import { tellAll, tellOwn } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { patience, split } from "./query.ts";
import { parsed, startingWith } from "./rows.ts";

/** A key that is to be signed, as it is stored, and with which keys the requester may do so. */
type Signable = { stored: JsonObject; signers: ReadonlyMap<string, Uint8Array> };

type Outcome = { userId: string; keyId: string; rows: KeySignatureRow[] | MatrixError };

/** @see Keys.uploadSignatures */
export async function uploadSignatures(
  parts: KeyParts,
  { userId }: Requester,
  signed: SignedKeys,
): Promise<SignatureFailures> {
  const { storage, users } = parts;
  for (const about of Object.keys(signed)) parseUserId(about);
  // Not while anybody is held: their servers may be slow.
  const masters = await remoteMasters(parts, signed);
  // Those who are signed as well: their keys must not be replaced meanwhile.
  return users.holding([...new Set([userId, ...Object.keys(signed)])], async () => {
    const outcomes: Outcome[] = [];
    for (const [about, keys] of Object.entries(signed)) {
      for (const [keyId, key] of Object.entries(keys)) {
        const rows = await newSignatures({ ...parts, masters }, userId, { userId: about, keyId, key }).catch(
          asRefusal,
        );
        outcomes.push({ userId: about, keyId, rows });
      }
    }
    const accepted = outcomes.filter(({ rows }) => Array.isArray(rows) && rows.length > 0);
    if (accepted.length > 0) await store(storage, userId, accepted);
    return { failures: failuresOf(outcomes) };
  });
}

/** Master keys of users of other servers, as those say. */
async function remoteMasters(
  { serverName, remote }: KeyParts,
  signed: SignedKeys,
): Promise<ReadonlyMap<string, CrossSigningKey>> {
  const others = Object.keys(split(serverName, signed).elsewhere);
  if (others.length === 0) return new Map();
  const { users } = await remote.query(Object.fromEntries(others.map((userId) => [userId, []])), patience());
  return new Map(
    [...users].flatMap(([userId, { master }]) =>
      master === undefined ? [] : [[userId, readCrossSigningKey(master, userId, "master")]],
    ),
  );
}

type SigningParts = KeyParts & { masters: ReadonlyMap<string, CrossSigningKey> };

async function store(
  storage: KeyParts["storage"],
  signer: string,
  accepted: readonly Outcome[],
): Promise<void> {
  const nids = new Map<string, Nid>();
  for (const userId of [signer, ...accepted.map((outcome) => outcome.userId)]) {
    nids.set(userId, await storage.names.intern(userId));
  }
  const own = accepted.filter(({ userId }) => userId === signer);
  const others = accepted.filter(({ userId }) => userId !== signer);
  const devices = new Set((await storage.getAllKeys("deviceKeys", startingWith(signer))).map(([, id]) => id));
  await storage.commit((write) => {
    for (const { rows } of accepted) {
      for (const row of rows as KeySignatureRow[]) write.put("keySignatures", row);
    }
    for (const { keyId } of own) {
      const what = devices.has(keyId)
        ? ({ what: "device", deviceId: keyId } as const)
        : { what: "signing" as const };
      tellAll(write, nids.get(signer)!, what);
    }
    if (others.length > 0)
      tellOwn(
        write,
        nids.get(signer)!,
        others.map(({ userId }) => nids.get(userId)!),
      );
  });
}

/**
 * The signatures by `signer` that are not known yet.
 * @throws MatrixError if one of them is wrong, there is none, or the key is not the one that is stored
 */
async function newSignatures(
  parts: SigningParts,
  signer: string,
  { userId, keyId, key }: { userId: string; keyId: string; key: JsonObject },
): Promise<KeySignatureRow[]> {
  const { stored, signers } = await signable(parts, signer, userId, keyId);
  if (signedText(stored) !== signedText(key)) throw invalidParam("This is not the key as it was uploaded.");
  const known = signaturesOf(stored, signer);
  for (const row of await parts.storage.getAll("keySignatures", startingWith(userId, signer, keyId))) {
    known.set(row.by, row.signature);
  }
  const made = [...signaturesOf(key, signer)].filter(([by, signature]) => known.get(by) !== signature);
  if (made.length === 0 && known.size === 0) throw invalidSignature("The key is not signed by you.");
  const rows: KeySignatureRow[] = [];
  for (const [by, signature] of made) {
    const publicKey = signers.get(by);
    if (publicKey === undefined) throw invalidSignature(`${by} is none of your keys that sign this one.`);
    if (!(await verifySignedJson(key, signer, by, publicKey, parts.ed25519))) {
      throw invalidSignature(`The signature by ${by} is wrong.`);
    }
    rows.push({ user: userId, signer, key: keyId, by, signature });
  }
  return rows;
}

/** @throws MatrixError M_NOT_FOUND */
async function signable(
  { storage, masters }: SigningParts,
  signer: string,
  userId: string,
  keyId: string,
): Promise<Signable> {
  const [keys, own] = await Promise.all([
    crossSigningKeysOf(storage, userId),
    crossSigningKeysOf(storage, signer),
  ]);
  const master = keys.get("master") ?? masters.get(userId);
  if (userId !== signer) {
    const userSigning = own.get("user_signing");
    if (master?.publicKey !== keyId) throw notFound("The user has no such master key.");
    if (userSigning === undefined) throw notFound("You have no user-signing key.");
    return { stored: master.json, signers: new Map([[userSigning.keyId, userSigning.bytes]]) };
  }
  if (master?.publicKey === keyId)
    return { stored: master.json, signers: await deviceSigners(storage, signer) };
  const device = await storage.get("deviceKeys", [userId, keyId]);
  if (device === undefined) throw notFound("You have no such device or master key.");
  const selfSigning = own.get("self_signing");
  if (selfSigning === undefined) throw notFound("You have no self-signing key.");
  return { stored: parsed(device), signers: new Map([[selfSigning.keyId, selfSigning.bytes]]) };
}

/** The keys of a user's devices, by the names under which they sign. One range. */
async function deviceSigners(storage: KeyParts["storage"], userId: string): Promise<Map<string, Uint8Array>> {
  const range = startingWith(userId);
  const [places, rows] = await Promise.all([
    storage.getAllKeys("deviceKeys", range),
    storage.getAll("deviceKeys", range),
  ]);
  const signers = new Map<string, Uint8Array>();
  places.forEach(([, deviceId], i) => {
    const key = deviceSigningKey(parsed(rows[i]!), deviceId);
    if (key !== undefined) signers.set(`ed25519:${deviceId}`, key);
  });
  return signers;
}

/** What the client has done wrong is an answer; what went wrong here is an error of the request. */
function asRefusal(error: unknown): MatrixError {
  if (error instanceof MatrixError && error.status < 500) return error;
  throw error;
}

function failuresOf(outcomes: readonly Outcome[]): SignatureFailures["failures"] {
  const refused = outcomes.filter(({ rows }) => rows instanceof MatrixError);
  return Object.fromEntries(
    [...groupBy(refused, ({ userId }) => userId)].map(([userId, of]) => [
      userId,
      Object.fromEntries(of.map(({ keyId, rows }) => [keyId, (rows as MatrixError).toJSON()])),
    ]),
  );
}
