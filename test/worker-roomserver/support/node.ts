import { onTestFinished } from "vitest";
import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import { type OpenNode, openNode } from "../../../src/worker-roomserver/node/node.ts";
import type { DeviceRequester } from "../../../src/worker-roomserver/node/requester.ts";
import { requireDevice } from "../../../src/worker-roomserver/node/require-device.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { cheap, dummy } from "./users.ts";

/** A whole node, as it is put together for the page; by the name of a database, the next leader over that. */
export async function testNode(dbName = `test-${crypto.randomUUID()}`, egress?: Egress): Promise<OpenNode> {
  const node = await openNode({
    dbName,
    now: Date.now,
    onStopped: () => undefined,
    passwordCost: cheap,
    ...(egress && { egress }),
  });
  onTestFinished(async () => {
    await node.close();
    await deleteDatabase(dbName);
  });
  return node;
}

export async function registerAt(node: OpenNode, username: string): Promise<DeviceRequester> {
  const body = { username, password: "correct horse battery", auth: dummy };
  const result = await node.users.register(crypto.randomUUID(), "user", body);
  if (!("access_token" in result) || result.access_token === undefined) throw new Error("not registered");
  return requireDevice((await node.users.authenticate(result.access_token)).requester);
}
