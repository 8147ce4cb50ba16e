import { expect, test } from "vitest";
import { signedThirdPartyInvites } from "../../../src/matrix/auth-rules/third-party-invite-signature.ts";
import { encodeBase64, encodeBase64Url } from "../../../src/matrix/base64.ts";
import { nobleEd25519 } from "../../../src/matrix/ed25519-noble.ts";
import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import { signJson } from "../../../src/matrix/signing.ts";
import { usualRoom } from "../room-builder.ts";

const bob = "@bob:b.example";
const ed25519 = nobleEd25519();
// The first byte makes the public key's Base64 differ between the alphabets.
const seed = new Uint8Array(32).fill(3);
const publicKey = await ed25519.publicKey(seed);
const otherKey = await ed25519.publicKey(new Uint8Array(32).fill(4));
const signed = await signJson(
  { mxid: bob, token: "t" },
  "id.example",
  "ed25519:0",
  await ed25519.signer(seed),
);
const base64 = encodeBase64(publicKey);

async function outcome(
  thirdPartyInvite: JsonValue | undefined,
  ...contents: JsonObject[]
): Promise<boolean[]> {
  const room = usualRoom();
  const content: JsonObject = { membership: "invite" };
  if (thirdPartyInvite !== undefined) content.third_party_invite = thirdPartyInvite;
  const invites = contents.map((origin) => room.set("m.room.third_party_invite", origin, "t"));
  const { pdu } = room.event({ type: "m.room.member", state_key: bob, content });
  const ids = await signedThirdPartyInvites(pdu, invites, ed25519);
  return invites.map(({ eventId }) => ids.has(eventId));
}

test.each<[what: string, origin: JsonObject, want: boolean]>([
  ["public_key", { public_key: base64 }, true],
  ["public_key in the URL-safe alphabet", { public_key: encodeBase64Url(publicKey) }, true],
  ["public_keys", { public_keys: [{ public_key: encodeBase64(otherKey) }, { public_key: base64 }] }, true],
  [
    "public_keys, beside another public_key",
    { public_key: encodeBase64(otherKey), public_keys: [{ public_key: base64 }] },
    true,
  ],
  ["another key", { public_key: encodeBase64(otherKey) }, false],
  ["no key", {}, false],
  ["keys of a wrong form", { public_key: 5, public_keys: [null, base64, { public_key: "%" }] }, false],
  ["a key that is too short", { public_key: "AAAA" }, false],
])("signed by %s: %s", async (_, origin, want) => {
  expect(await outcome({ signed }, origin)).toEqual([want]);
});

test.each<[what: string, thirdPartyInvite: JsonValue | undefined]>([
  ["another token", { signed: { ...signed, token: "u" } }],
  ["no signatures", { signed: { mxid: bob, token: "t" } }],
  ["signatures of a wrong form", { signed: { ...signed, signatures: { "id.example": ["ed25519:0"] } } }],
  [
    "signatures that are no Base64",
    { signed: { ...signed, signatures: { "id.example": { "ed25519:0": "%" } } } },
  ],
  ["nothing signed", {}],
  ["no third-party invite", undefined],
])("%s is not signed", async (_, thirdPartyInvite) => {
  expect(await outcome(thirdPartyInvite, { public_key: base64 })).toEqual([false]);
});

test("each of several invites is judged by its own keys", async () => {
  const origins = [{ public_key: encodeBase64(otherKey) }, { public_key: base64 }];
  expect(await outcome({ signed }, ...origins)).toEqual([false, true]);
});

test("an event full of keys and signatures is given up on", async () => {
  let tried = 0;
  const counting = { ...ed25519, verify: async () => Boolean(++tried > 1_000_000) };
  const signatures = {
    "id.example": Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`ed25519:${i}`, "AAAA"])),
  };
  const room = usualRoom();
  const keys = Array.from({ length: 100 }, () => ({ public_key: base64 }));
  const origin = room.set("m.room.third_party_invite", { public_keys: keys }, "t");
  const content = { membership: "invite", third_party_invite: { signed: { ...signed, signatures } } };
  const { pdu } = room.event({ type: "m.room.member", state_key: bob, content });
  expect(await signedThirdPartyInvites(pdu, [origin], counting)).toEqual(new Set());
  expect(tried).toBe(1000);
});
