import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { signJson } from "../../../src/matrix/signing.ts";
import { type CrossSigner, crossSigner, missigned } from "../support/crypto-device.ts";
import { type Somebody, type TestKeys, testKeys } from "../support/keys.ts";
import { logAfter } from "../support/storage.ts";
import { challenge, error, passwordAuth } from "../support/users.ts";

async function start(): Promise<TestKeys & { alice: Somebody; signer: CrossSigner }> {
  const t = await testKeys();
  const alice = await t.join("alice");
  await t.keys.upload(alice, { device_keys: alice.device.deviceKeys });
  return { ...t, alice, signer: await crossSigner(alice.userId) };
}

const own = async ({ keys }: TestKeys, who: Somebody) => {
  const { master_keys, self_signing_keys, user_signing_keys } = await keys.query(who, { [who.userId]: [] });
  return [master_keys, self_signing_keys, user_signing_keys].map((found) => found[who.userId]);
};

describe("cross-signing keys", () => {
  test("are taken without a password the first time, and when they are the same again", async () => {
    const t = await start();
    expect(await t.keys.uploadCrossSigning(t.alice, t.signer.body)).toEqual({});
    const { position } = t.users.storage;
    expect(await t.keys.uploadCrossSigning(t.alice, t.signer.body)).toEqual({});
    expect(await t.keys.uploadCrossSigning(t.alice, { master_key: t.signer.body.master_key })).toEqual({});
    expect(t.users.storage.position).toBe(position); // nobody has to look again
    expect(await own(t, t.alice)).toEqual(Object.values(t.signer.body));
  });

  test("that are others need the password, for these keys alone", async () => {
    const t = await start();
    await t.keys.uploadCrossSigning(t.alice, t.signer.body);
    const [other, third] = [await crossSigner(t.alice.userId), await crossSigner(t.alice.userId)];
    const { session, flows } = challenge(await t.keys.uploadCrossSigning(t.alice, other.body));
    expect(flows).toEqual([{ stages: ["m.login.password"] }]);
    expect(await own(t, t.alice)).toEqual(Object.values(t.signer.body));
    const auth = passwordAuth("alice", { session });
    await expect(t.keys.uploadCrossSigning(t.alice, { ...third.body, auth })).rejects.toEqual(
      error("M_FORBIDDEN", 403),
    );
    expect(await t.keys.uploadCrossSigning(t.alice, { ...other.body, auth })).toEqual({});
    expect(await own(t, t.alice)).toEqual(Object.values(other.body));
  });

  test("that are added to a master key need the password as well; for an application service nothing does", async () => {
    const t = await start();
    const { master_key, ...others } = t.signer.body;
    await t.keys.uploadCrossSigning(t.alice, { master_key });
    challenge(await t.keys.uploadCrossSigning(t.alice, others));
    expect(await t.keys.uploadCrossSigning({ ...t.alice, kind: "appservice" }, others)).toEqual({});
    expect(await own(t, t.alice)).toEqual(Object.values(t.signer.body));
  });

  test("of two first uploads at once are asked the password for by one", async () => {
    const t = await start();
    const other = await crossSigner(t.alice.userId);
    const answers = await Promise.all([
      t.keys.uploadCrossSigning(t.alice, t.signer.body),
      t.keys.uploadCrossSigning(t.alice, other.body),
    ]);
    expect(answers[0]).toEqual({});
    challenge(answers[1]);
  });

  test("end with the master key that has signed them, and so do the signatures that they have made", async () => {
    const t = await start();
    const bob = await t.join("bob");
    const bobs = await crossSigner(bob.userId);
    await t.keys.uploadCrossSigning(bob, bobs.body);
    await t.keys.uploadCrossSigning(t.alice, t.signer.body);
    const { failures } = await t.keys.uploadSignatures(t.alice, {
      [t.alice.userId]: { PHONE: await t.signer.signDevice(t.alice.device.deviceKeys) },
      [bob.userId]: { [bobs.master.publicKey]: await t.signer.signUser(bobs.body.master_key) },
    });
    expect(failures).toEqual({});
    expect(await t.users.storage.getAllKeys("keySignatures")).toHaveLength(2);
    const { master_key } = (await crossSigner(t.alice.userId)).body;
    await t.keys.uploadCrossSigning(t.alice, { master_key, auth: passwordAuth("alice") });
    expect(await own(t, t.alice)).toEqual([master_key, undefined, undefined]);
    expect(await t.users.storage.getAllKeys("keySignatures")).toEqual([]);
  });

  test("are told of to all, but for the user-signing key", async () => {
    const t = await start();
    await t.keys.uploadCrossSigning(t.alice, t.signer.body);
    const after = t.users.storage.position;
    const pair = (await crossSigner(t.alice.userId)).userSigning;
    const unsigned = {
      user_id: t.alice.userId,
      usage: ["user_signing"],
      keys: { [`ed25519:${pair.publicKey}`]: pair.publicKey },
    };
    const { master } = t.signer;
    const user_signing_key = await signJson(
      unsigned,
      t.alice.userId,
      `ed25519:${master.publicKey}`,
      master.sign,
    );
    await t.keys.uploadCrossSigning(t.alice, { user_signing_key, auth: passwordAuth("alice") });
    expect((await logAfter(t.users.storage, after)).map(({ detail }) => detail)).toEqual(["own"]);
    expect(await t.keys.changedLists("@bob:home.example", after)).toEqual(new Set());
    expect(await t.keys.changedLists(t.alice.userId, after)).toEqual(new Set([t.alice.userId]));
    expect((await logAfter(t.users.storage, 0)).map(({ detail }) => detail)).toContain("signing");
  });

  type Change = (body: Record<string, JsonObject>, signer: CrossSigner) => object;
  test.each<[what: string, change: Change, errcode: string, status: number]>([
    ["nothing at all", () => ({}), "M_MISSING_PARAM", 400],
    ["no master key", ({ master_key: _, ...rest }) => rest, "M_MISSING_PARAM", 400],
    [
      "another user's",
      ({ master_key }) => ({ master_key: { ...master_key, user_id: "@bob:home.example" } }),
      "M_INVALID_PARAM",
      400,
    ],
    [
      "one of another usage",
      ({ self_signing_key }) => ({ master_key: self_signing_key }),
      "M_INVALID_PARAM",
      400,
    ],
    [
      "one without a usage",
      ({ master_key }) => ({ master_key: { ...master_key, usage: "master" } }),
      "M_INVALID_PARAM",
      400,
    ],
    ["no key", ({ master_key }) => ({ master_key: { ...master_key, keys: {} } }), "M_INVALID_PARAM", 400],
    [
      "two keys",
      ({ master_key }, { master, selfSigning }) => ({
        master_key: {
          ...master_key,
          keys: Object.fromEntries(
            [master, selfSigning].map(({ publicKey: key }) => [`ed25519:${key}`, key]),
          ),
        },
      }),
      "M_INVALID_PARAM",
      400,
    ],
    [
      "a key under another name",
      ({ master_key }, { master }) => ({
        master_key: { ...master_key, keys: { "ed25519:a": master.publicKey } },
      }),
      "M_INVALID_PARAM",
      400,
    ],
    [
      "a key that is none",
      ({ master_key }) => ({ master_key: { ...master_key, keys: { "ed25519:AAAA": "AAAA" } } }),
      "M_INVALID_PARAM",
      400,
    ],
    [
      "a self-signing key that is not signed",
      (body) => ({ ...body, self_signing_key: { ...body.self_signing_key, signatures: {} } }),
      "M_INVALID_SIGNATURE",
      400,
    ],
    [
      "a user-signing key that is signed wrongly",
      (body, { userId }) => ({ ...body, user_signing_key: missigned(body.user_signing_key!, userId) }),
      "M_INVALID_SIGNATURE",
      400,
    ],
  ])("are refused: %s", async (_, change, errcode, status) => {
    const t = await start();
    const body = change({ ...t.signer.body }, t.signer);
    await expect(t.keys.uploadCrossSigning(t.alice, body)).rejects.toEqual(error(errcode, status));
    expect(await own(t, t.alice)).toEqual([undefined, undefined, undefined]);
  });

  test("are refused if a device has the name of one", async () => {
    const t = await start();
    await t.logIn("alice", t.signer.selfSigning.publicKey);
    await expect(t.keys.uploadCrossSigning(t.alice, t.signer.body)).rejects.toEqual(
      error("M_FORBIDDEN", 403),
    );
  });
});
