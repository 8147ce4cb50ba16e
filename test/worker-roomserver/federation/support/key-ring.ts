import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import { SigningClient } from "../../../../src/worker-roomserver/federation/client/client.ts";
import { StoredDestinations } from "../../../../src/worker-roomserver/federation/destinations/destinations.ts";
import { ServerKeyRing } from "../../../../src/worker-roomserver/federation/keys/key-ring.ts";
import { type TestStorage, testStorage } from "../../support/storage.ts";
import type { TestNetwork } from "./network.ts";
import { newKey } from "./peer.ts";

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** A key ring of a server that does nothing else, and how often it has asked a server for its keys. */
export async function testKeyRing(network: TestNetwork, storage?: TestStorage) {
  const kept = storage ?? (await testStorage());
  const clock = { now: Date.now() };
  const now = () => clock.now;
  const serverName = "me.example";
  const key = await newKey("ed25519:me");
  const later = () => () => undefined;
  const destinations = new StoredDestinations({ storage: kept, now, later, random: () => 0.5 });
  const egress = network.egress(() => serverName);
  const client = new SigningClient({ serverName, key, egress, now, later, destinations });
  const ed25519 = await chooseEd25519(crypto.subtle);
  return {
    ...{ storage: kept, clock, serverName, key, destinations },
    keyRing: new ServerKeyRing({ storage: kept, serverName, key, ed25519, client, now }),
    asked: (name: string) =>
      network.carried.filter(({ to, uri }) => to === name && uri === "/_matrix/key/v2/server").length,
  };
}
