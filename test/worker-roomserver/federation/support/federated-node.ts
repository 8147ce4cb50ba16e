import { onTestFinished } from "vitest";
import { type OpenNode, openNode } from "../../../../src/worker-roomserver/node/node.ts";
import { deleteDatabase } from "../../../../src/worker-roomserver/storage/open.ts";
import { cheap } from "../../support/users.ts";
import type { TestNetwork } from "./network.ts";

export type FederatedNode = {
  node: OpenNode;
  serverName: string;
  /** Closes it, as when its tab is closed. The network finds nobody there then. */
  close(): Promise<void>;
  /** The next leader over the same database. */
  reopen(): Promise<FederatedNode>;
};

/** A whole node on a network, which speaks with the others there as it would over a relay. */
export async function federatedNode(
  network: TestNetwork,
  dbName = `test-${crypto.randomUUID()}`,
  ownersName?: string,
): Promise<FederatedNode> {
  let name = "";
  const node = await openNode({
    ...{ dbName, now: Date.now, onStopped: () => undefined, passwordCost: cheap },
    egress: network.egress(() => name),
    ...(ownersName !== undefined && { serverName: ownersName }),
  });
  const { serverName } = await node.info();
  name = serverName;
  network.add(serverName, node.answerServers);
  network.setDown(serverName, false);
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    network.setDown(serverName, true);
    await node.close();
  };
  onTestFinished(async () => {
    await close();
    await deleteDatabase(dbName);
  });
  await node.startFederation();
  return {
    node,
    serverName,
    close,
    reopen: async () => {
      await close();
      return federatedNode(network, dbName, ownersName);
    },
  };
}
