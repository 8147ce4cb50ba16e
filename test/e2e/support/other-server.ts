import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { serverNameFromKey } from "../../../src/matrix/server-names.ts";
import { authorizationFor } from "../../../src/matrix/x-matrix.ts";
import type { Answer, RelayProcess } from "./relay-process.ts";

/** Another server, known by its key. */
export type OtherServer = {
  name: string;
  /** Asks a server that is found at the relay, as one server asks another. */
  ask(relay: RelayProcess, to: string, method: string, uri: string, content: JsonObject): Promise<Answer>;
};

export async function makeOtherServer(): Promise<OtherServer> {
  const ed25519 = await chooseEd25519(crypto.subtle);
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicKey = await ed25519.publicKey(seed);
  const key = { keyId: "ed25519:1", publicKey, sign: await ed25519.signer(seed) };
  const name = serverNameFromKey(publicKey);
  return {
    name,
    async ask(relay, destination, method, uri, content) {
      const signed = { method, uri, origin: name, destination, content };
      const headers = {
        Authorization: await authorizationFor(signed, key),
        "Content-Type": "application/json",
      };
      return relay.ask(destination, method, uri, { headers, body: JSON.stringify(content) });
    },
  };
}
