import * as v from "valibot";
import { onTestFinished } from "vitest";
import { jsonRecord } from "../../../../../src/door/schemas.ts";
import { keyFromServerName } from "../../../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../../../src/matrix/json.ts";
import {
  type DestinationState,
  type Destinations,
  type Edu,
  FederationError,
} from "../../../../../src/worker-roomserver/federation/api.ts";
import { SigningClient } from "../../../../../src/worker-roomserver/federation/client/client.ts";
import type { FederationOptions } from "../../../../../src/worker-roomserver/federation/context.ts";
import { createDoor } from "../../../../../src/worker-roomserver/federation/door/door.ts";
import { type Endpoint, endpoint } from "../../../../../src/worker-roomserver/federation/door/endpoint.ts";
import { type Edus, openEdus } from "../../../../../src/worker-roomserver/federation/edus/edus.ts";
import { noRemoteMedia } from "../../../../../src/worker-roomserver/media/remote/api.ts";
import { type OpenNode, openNode } from "../../../../../src/worker-roomserver/node/node.ts";
import { noRemoteHistory } from "../../../../../src/worker-roomserver/room/history/api.ts";
import { noRemoteQuestions } from "../../../../../src/worker-roomserver/room/questions/api.ts";
import { noRemoteRooms } from "../../../../../src/worker-roomserver/room/remote/api.ts";
import { deleteDatabase } from "../../../../../src/worker-roomserver/storage/open.ts";
import { noRemoteProfiles } from "../../../../../src/worker-roomserver/users/remote/api.ts";
import { cheap } from "../../../support/users.ts";
import type { TestNetwork } from "../../support/network.ts";

/** A whole node whose EDUs are carried when the test says so. */
export type EduNode = {
  node: OpenNode;
  serverName: string;
  edus: Edus;
  /** EDUs that have come, in their order. */
  received: Edu[];
  /** Sends what the log leads to since the last time; what a server does not take waits for the next. */
  carry(): Promise<void>;
  /** Another server has been heard of again. */
  heardFrom(serverName: string): void;
  close(): Promise<void>;
  reopen(): Promise<EduNode>;
};

export async function eduNode(
  network: TestNetwork,
  dbName = `test-${crypto.randomUUID()}`,
): Promise<EduNode> {
  let name = "";
  const received: Edu[] = [];
  let made!: { edus: Edus; client: SigningClient };
  const ready = new Set<(server: string) => void>();
  const node = await openNode({
    ...{ dbName, now: Date.now, onStopped: () => undefined, passwordCost: cheap },
    egress: network.egress(() => name),
    openFederation: (options) => {
      const destinations = destinationsOver(ready);
      const client = new SigningClient({ ...options, destinations });
      const keyRing = {
        // Names of nodes are their keys.
        keyFor: async (server: string) => keyFromServerName(server),
        checkEvents: async () => [],
      };
      const edus = openEdus({ ...options, client, keyRing, destinations });
      made = { edus, client };
      return {
        answer: createDoor({
          ...{ serverName: options.serverName, ed25519: options.ed25519, now: options.now, keyRing },
          endpoints: standIns(options, edus, received),
          heardFrom: () => undefined,
        }),
        remoteKeys: edus.remoteKeys,
        remoteRooms: noRemoteRooms,
        remoteHistory: noRemoteHistory,
        remoteQuestions: noRemoteQuestions,
        remoteProfiles: noRemoteProfiles,
        remoteMedia: noRemoteMedia,
        wayIsOpen: () => undefined,
        policies: { sign: async (pdu) => pdu, isAllowed: async () => ({ isAllowed: true }) },
        forOwner: {
          destinations: async () => [],
          retryNow: async () => undefined,
          setRelays: async () => undefined,
        },
        start: () => edus.start(),
        close: () => edus.close(),
      };
    },
  });
  const { serverName } = await node.info();
  name = serverName;
  network.add(serverName, node.answerServers);
  network.setDown(serverName, false);
  await node.startFederation();
  const { edus, client } = made;
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
  return {
    ...{ node, serverName, edus, received, close },
    carry: carrier(node, edus, client),
    heardFrom: (server) => {
      for (const call of ready) call(server);
    },
    reopen: async () => {
      await close();
      return eduNode(network, dbName);
    },
  };
}

function destinationsOver(ready: Set<(server: string) => void>): Destinations {
  const nothing = (serverName: string): DestinationState => ({
    ...{ serverName, failures: 0, failingSince: 0, retryAt: 0, lastSuccess: 0, lastError: "" },
  });
  return {
    state: async (serverName) => nothing(serverName),
    isReady: async () => true,
    succeeded: () => undefined,
    failed: () => undefined,
    notAsked: () => undefined,
    wayIsOpen: () => undefined,
    heardFrom: () => undefined,
    retryNow: () => undefined,
    onReady: (call) => {
      ready.add(call);
      return () => ready.delete(call);
    },
    all: async () => [],
  };
}

/** What other parts of a server answer. */
function standIns({ keys }: FederationOptions, edus: Edus, received: Edu[]): Endpoint[] {
  return [
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/user/devices/{userId}",
        auth: "server",
        params: v.object({ userId: v.string() }),
      },
      ({ params: { userId } }) => keys.userDevices(userId),
    ),
    endpoint(
      {
        method: "POST",
        path: "/_matrix/federation/v1/user/keys/query",
        auth: "server",
        body: v.object({ device_keys: jsonRecord(v.array(v.string())) }),
      },
      ({ body }) => keys.queryLocal(body.device_keys),
    ),
    endpoint(
      {
        method: "POST",
        path: "/_matrix/federation/v1/user/keys/claim",
        auth: "server",
        body: v.object({ one_time_keys: jsonRecord(jsonRecord(v.string())) }),
      },
      ({ body }) => keys.claimLocal(crypto.randomUUID(), body.one_time_keys),
    ),
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/send/{txnId}",
        auth: "server",
        params: v.object({ txnId: v.string() }),
        body: v.object({ edus: v.array(v.custom<Edu>(() => true)) }),
      },
      async ({ origin, body }) => {
        for (const edu of body.edus) {
          received.push(edu);
          await edus.take(origin, edu);
        }
        return { pdus: {} };
      },
    ),
  ];
}

function carrier(node: OpenNode, { outgoing }: Edus, client: SigningClient): () => Promise<void> {
  let position = 0;
  const queues = new Map<string, Edu[]>();
  const messages = new Map<string, number>();
  const send = async (server: string, edus: readonly Edu[]) => {
    if (edus.length === 0) return true;
    try {
      await client.request({
        ...{ method: "PUT", destination: server },
        uri: `/_matrix/federation/v1/send/${crypto.randomUUID()}`,
        content: { edus: edus as unknown as JsonObject[] },
      });
      return true;
    } catch (error) {
      if (error instanceof FederationError) return false;
      throw error;
    }
  };
  return async () => {
    const { storage } = node;
    await storage.settled();
    for (const entry of (await storage.entriesAfter(position, 10_000)) ?? []) {
      position = entry.position;
      for (const { edu, servers } of await outgoing.of(entry)) {
        for (const server of servers) queues.set(server, [...(queues.get(server) ?? []), edu]);
      }
      if (entry.topic === "toDevice" && entry.user === 0) {
        messages.set(entry.detail, messages.get(entry.detail) ?? 0);
      }
    }
    for (const [server, queue] of queues) if (await send(server, queue)) queues.delete(server);
    for (const [server, after] of messages) {
      const { edus, upTo } = await outgoing.messagesFor(server, after, 100);
      if (!(await send(server, edus))) continue;
      messages.delete(server);
      await storage.commit((write) => outgoing.messagesTaken(write, server, upTo));
    }
  };
}
