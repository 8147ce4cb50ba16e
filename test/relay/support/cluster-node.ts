import type { LinkHandler } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { Keeper } from "../../../src/link/keeper.ts";
import { type MailboxAnswer, RELAY_API } from "../../../src/link/relay-api.ts";
import type { LinkAddresses } from "../../../src/link/transports/connect.ts";
import { type Person, RELAY } from "./people.ts";

/**
 * A node that keeps a session with one of several relays, and goes to the next one when that does not answer.
 * @param takes - whether it answers transactions itself, or leaves them to its mailbox
 */
export function startNode({ name, key }: Person, relays: readonly LinkAddresses[], takes: boolean) {
  let attempt = 0;
  const got: string[] = [];
  /** Of the mailbox, each time that an entry was given. */
  const served: { id: number; acknowledged: number; transaction: string }[] = [];
  let acknowledged = 0;
  const changed = new Set<() => void>();
  const tell = () => {
    for (const one of changed) one();
  };
  const handler: LinkHandler = async ({ target, body }) => {
    const bytes = await new Response(body).text();
    const id = target.split("/").pop() ?? "";
    if (!takes || bytes === "") return { status: 503, headers: [] };
    got.push(id);
    tell();
    return { status: 200, headers: [], body: new Blob(['{"pdus":{}}']).stream() };
  };
  const keeper = new Keeper({
    relayName: RELAY,
    identity: { serverName: name, ...key },
    handler,
    addresses: async () => relays[attempt++ % relays.length] as LinkAddresses,
    clock: systemClock,
    random: () => 0,
    changed: tell,
    log: (error) => console.error(error),
    kinds: () => ["websocket"],
  });
  const over = new AbortController();

  async function drain(): Promise<void> {
    while (!over.signal.aborted) {
      try {
        const last = served.at(-1)?.id ?? 0;
        const target = `${RELAY_API}/mailbox?acknowledge=${last}&after=0&wait=2000`;
        const answer = await keeper.request(() => ({ method: "GET", target, headers: [] }), {
          signal: over.signal,
          repeatable: true,
        });
        const text = await new Response(answer.body).text();
        if (answer.status !== 200) continue;
        acknowledged = last;
        const { entry } = JSON.parse(text) as MailboxAnswer;
        if (entry !== undefined) {
          served.push({ id: entry.entry_id, acknowledged, transaction: entry.transaction_id });
          tell();
        }
      } catch {
        // The session broke, and is opened again: what was not acknowledged is asked for once more.
      }
    }
  }
  keeper.reconnect();
  return {
    name,
    keeper,
    got,
    served,
    drained: drain(),
    /** All that has reached it. */
    transactions: () => new Set([...got, ...served.map(({ transaction }) => transaction)]),
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          changed.add(resolve);
        });
        changed.clear();
      }
    },
    async stop() {
      over.abort();
      await keeper.sleep("The test is over.");
      await this.drained;
    },
  };
}
