import { encodeBase64 } from "../../../src/matrix/base64.ts";
import { nobleEd25519 } from "../../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { signJson } from "../../../src/matrix/signing.ts";

const ed25519 = nobleEd25519();

/** Every key here has a letter, of which its secret is made. */
const secret = (letter: string) => new Uint8Array(32).fill(letter.charCodeAt(0));

/** The public key, as unpadded base64. */
export const publicKey = async (letter: string) => encodeBase64(await ed25519.publicKey(secret(letter)));

/** The object with a signature of the user's by a key, which is known to others under a name. */
export const signed = async (object: JsonObject, userId: string, name: string, letter: string) =>
  signJson(object, userId, `ed25519:${name}`, await ed25519.signer(secret(letter)));
