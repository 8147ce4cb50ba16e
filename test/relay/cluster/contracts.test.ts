import { afterAll, beforeAll, describe } from "vitest";
import { natsDocuments } from "../../../src/relay/cluster/documents.ts";
import { natsMailbox } from "../../../src/relay/cluster/mailbox/nats-mailbox.ts";
import type { Nats } from "../../../src/relay/cluster/nats.ts";
import { documentsContract, type Opened } from "../documents/contract.ts";
import { mailboxContract } from "../mailbox/contract.ts";
import {
  connectTo,
  discard,
  hasNatsServer,
  type NatsServers,
  randomPrefix,
  startNatsServers,
} from "../support/nats-servers.ts";

const report = (error: unknown) => {
  throw error;
};

describe.skipIf(!hasNatsServer)("over one nats-server", () => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await startNatsServers(1);
  });
  afterAll(() => servers.stop());

  async function open<Store>(make: (nats: Nats) => Promise<Store>): Promise<Opened<Store>> {
    const prefix = randomPrefix();
    let nats = await connectTo(servers, prefix);
    return {
      store: await make(nats),
      reopen: async () => {
        await nats.connection.close();
        nats = await connectTo(servers, prefix);
        return make(nats);
      },
      close: () => discard(nats),
    };
  }

  mailboxContract("JetStream", (limits) =>
    open((nats) => natsMailbox(nats, { limits, retention: 86_400_000, report })),
  );
  documentsContract("a key-value bucket", () => open(natsDocuments));
});
