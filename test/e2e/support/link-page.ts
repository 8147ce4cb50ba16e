// Runs in the page: a node's end of the link, and nothing else of a node.

import type { ChannelKind } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { Keeper } from "../../../src/link/keeper.ts";
import { connectChannel, type LinkAddresses } from "../../../src/link/transports/connect.ts";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import { serverNameFromKey } from "../../../src/matrix/server-names.ts";

/** What the test calls. */
export type LinkPage = {
  serverName: string;
  /** Keeps a session over these kinds alone, until it is open. */
  start(kinds: ChannelKind[]): Promise<string>;
  state(): string;
  /** Sends so many bytes and compares what comes back. @returns whether they are the same */
  echo(bytes: number): Promise<boolean>;
  /** Asks for something small while the answer to something large stands still. @returns its status */
  smallBesideLarge(bytes: number): Promise<number>;
  sleep(): Promise<void>;
};

const ed25519 = await chooseEd25519(crypto.subtle as never);
const seed = crypto.getRandomValues(new Uint8Array(32));
const publicKey = await ed25519.publicKey(seed);
const serverName = serverNameFromKey(publicKey);
let wanted: ChannelKind[] = [];

const keeper = new Keeper({
  relayName: "relay.example.org",
  identity: { serverName, keyId: "ed25519:1", publicKey, sign: await ed25519.signer(seed) },
  handler: async ({ body }) => ({ status: 200, headers: [], body }),
  addresses: async (signal) => (await fetch("/addresses", { signal })).json() as Promise<LinkAddresses>,
  clock: systemClock,
  random: () => 0,
  changed: () => undefined,
  log: (error) => console.error(error),
  kinds: () => wanted,
  connect: connectChannel,
});

function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

const post = (body: ReadableStream<Uint8Array> | undefined) =>
  keeper.request(() => ({ method: "POST", target: "/echo", headers: [], body }));

const state = () => (keeper.state.state === "open" ? keeper.state.kind : keeper.state.state);

const page: LinkPage = {
  serverName,
  async start(kinds) {
    wanted = kinds;
    keeper.reconnect();
    await keeper.request(() => ({ method: "GET", target: "/", headers: [] }), { wait: 30_000 });
    return state();
  },
  state,
  async echo(length) {
    const sent = pattern(length);
    const { body } = await post(new Blob([sent]).stream());
    const got = new Uint8Array(
      await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
    );
    return got.length === length && got.every((byte, index) => byte === sent[index]);
  },
  async smallBesideLarge(length) {
    const { body } = await post(new Blob([pattern(length)]).stream());
    const { status } = await post(undefined);
    await body?.cancel();
    return status;
  },
  sleep: () => keeper.sleep("The test is over."),
};
Object.assign(globalThis, { link: page });
