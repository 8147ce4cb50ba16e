import { decodeBase64, encodeBase64 } from "../matrix/base64.ts";
import { canonicalBytes } from "../matrix/canonical-json.ts";
import type { Ed25519 } from "../matrix/ed25519.ts";
import { isKeyId } from "../matrix/identifiers.ts";
import { isJsonObject, type JsonObject } from "../matrix/json.ts";
import { isServerName } from "../matrix/server-names.ts";
import { encodeUtf8 } from "../matrix/utf8.ts";
import type { ChannelKind, LinkIdentity } from "./api.ts";
import { ProtocolError } from "./frames.ts";

/**
 * The steps of the handshake, JSON in `hello` frames: the node says which versions it speaks; the relay answers with a
 * challenge; the node signs it; the relay welcomes it, or closes with the reason. Nothing else is read before.
 */
export const protocolVersion = 1;

/** What the relay wants signed, new for each connection. */
export type Challenge = {
  /** The relay's name: a node signs for none but the one that it wanted to reach. */
  relay: string;
  kind: ChannelKind;
  /** base64 of 32 random bytes. */
  nonce: string;
  /** The relay's clock, milliseconds since 1970. */
  time: number;
};

/** Who somebody says to be. */
export type Claim = { serverName: string; keyId: string; publicKey: Uint8Array };

export type Proof = Claim & { signature: Uint8Array };

const nonceBytes = 32;
/**
 * In front of the signed JSON. A server's key signs JSON objects otherwise (events, requests), and no such signature
 * may ever pass for this one, nor the reverse.
 */
const purpose = `Hearth link ${protocolVersion}\n`;

export function greeting(): JsonObject {
  return { step: "greeting", versions: [protocolVersion] };
}

/** @throws {ProtocolError} where the two have no version in common */
export function readGreeting(json: unknown): void {
  const { versions } = step(json, "greeting");
  if (!Array.isArray(versions) || !versions.includes(protocolVersion)) {
    throw new ProtocolError(
      `This relay speaks version ${protocolVersion} of the link, and the node does not.`,
    );
  }
}

export function challengeFor(relay: string, kind: ChannelKind, time: number): Challenge {
  return { relay, kind, nonce: encodeBase64(crypto.getRandomValues(new Uint8Array(nonceBytes))), time };
}

export function writeChallenge(challenge: Challenge): JsonObject {
  return { step: "challenge", version: protocolVersion, ...challenge };
}

/** @throws {ProtocolError} for what is none, or one that is for another connection or another relay */
export function readChallenge(json: unknown, relay: string, kind: ChannelKind): Challenge {
  const { version, nonce, time, ...rest } = step(json, "challenge");
  if (version !== protocolVersion) throw new ProtocolError("The relay speaks another version of the link.");
  if (rest.relay !== relay) throw new ProtocolError("The challenge is another relay's.");
  if (rest.kind !== kind) throw new ProtocolError("The challenge is for another kind of connection.");
  if (
    typeof nonce !== "string" ||
    decodeBase64(nonce)?.length !== nonceBytes ||
    !Number.isSafeInteger(time)
  ) {
    throw new ProtocolError("Not a challenge.");
  }
  return { relay, kind, nonce, time: time as number };
}

export async function writeProof(challenge: Challenge, identity: LinkIdentity): Promise<JsonObject> {
  const signature = await identity.sign(signedText(challenge, identity));
  return { step: "proof", ...claimed(identity), signature: encodeBase64(signature) };
}

/** @throws {ProtocolError} for what has not the form of one; whether it holds is for `isProved` to say */
export function readProof(json: unknown): Proof {
  const { server_name: serverName, key_id: keyId, public_key, signature } = step(json, "proof");
  const key = typeof public_key === "string" ? decodeBase64(public_key) : undefined;
  const signed = typeof signature === "string" ? decodeBase64(signature) : undefined;
  if (!isServerName(serverName) || !isKeyId(keyId) || !keyId.startsWith("ed25519:")) {
    throw new ProtocolError("Not a proof of a server's name.");
  }
  if (key?.length !== 32 || signed?.length !== 64) throw new ProtocolError("Not a signature with its key.");
  return { serverName, keyId, publicKey: key, signature: signed };
}

/** Whether whoever sent the proof has the key that it names. Whose key that is, is another question. */
export function isProved(ed25519: Ed25519, challenge: Challenge, proof: Proof): Promise<boolean> {
  return ed25519.verify(proof.publicKey, signedText(challenge, proof), proof.signature);
}

export function welcome(): JsonObject {
  return { step: "welcome" };
}

/** @throws {ProtocolError} */
export function readWelcome(json: unknown): void {
  step(json, "welcome");
}

function claimed({ serverName, keyId, publicKey }: Claim) {
  return { server_name: serverName, key_id: keyId, public_key: encodeBase64(publicKey) };
}

function signedText(challenge: Challenge, claim: Claim): Uint8Array {
  const json = canonicalBytes({ ...challenge, ...claimed(claim) });
  const head = encodeUtf8(purpose);
  const text = new Uint8Array(head.length + json.length);
  text.set(head);
  text.set(json, head.length);
  return text;
}

function step(json: unknown, name: string): JsonObject {
  if (isJsonObject(json) && json.step === name) return json;
  throw new ProtocolError(`The handshake should go on with a ${name}.`);
}
