// Nodes that keep sessions with a relay and do nothing else: `deno run … ORIGIN KIND`. Opens as many more as each line
// of its input says, and prints a line when they are open.
import type { ChannelKind } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { openLink } from "../../../src/link/open-link.ts";
import { connectChannel, type LinkAddresses } from "../../../src/link/transports/connect.ts";
import { serverNameFromKey } from "../../../src/matrix/server-names.ts";
import { ed25519, keepAlive, relayName } from "../../../test/link/support/identities.ts";

const [origin = "", kind = "websocket"] = Deno.args as [string, ChannelKind];
const addresses = (await (await fetch(`${origin}/addresses`)).json()) as LinkAddresses;
/** A relay takes so many handshakes from one address at a time. */
const AT_ONCE = 16;

async function openOne(): Promise<void> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicKey = await ed25519.publicKey(seed);
  const identity = {
    ...{ serverName: serverNameFromKey(publicKey), keyId: "ed25519:1" },
    ...{ publicKey, sign: await ed25519.signer(seed) },
  };
  const channel = await connectChannel(kind, addresses, AbortSignal.timeout(20_000));
  const { end } = await openLink(
    {
      ...{ channel, clock: systemClock, keepAlive, log: () => undefined },
      handler: async () => ({ status: 200, headers: [] }),
    },
    relayName,
    identity,
  );
  if (end !== undefined) throw new Error(end.reason);
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines) {
  for (let left = Number(line); left > 0; left -= AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, openOne));
  }
  console.log("open");
}
