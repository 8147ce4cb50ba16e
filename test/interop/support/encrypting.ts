import "fake-indexeddb/auto";
import {
  ClientEvent,
  createClient,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
} from "matrix-js-sdk";
import { onTestFinished } from "vitest";
import type { Person } from "./person.ts";

/** A client that encrypts, as somebody has it: matrix-js-sdk with its Rust crypto, and keys in memory. */
export async function encryptingClient({ server, userId, deviceId, token }: Person): Promise<MatrixClient> {
  const client = createClient({ baseUrl: server.clientUrl, userId, deviceId, accessToken: token });
  await client.initRustCrypto({ useIndexedDB: false });
  await client.startClient({ initialSyncLimit: 20 });
  onTestFinished(() => client.stopClient());
  await new Promise<void>((resolve) => {
    client.on(ClientEvent.Sync, (state) => {
      if (state === "PREPARED") resolve();
    });
  });
  return client;
}

/** Waits until a client can read a message. */
export function reads(client: MatrixClient, text: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (event: MatrixEvent) => {
      if (event.getContent().body === text) resolve();
    };
    for (const room of client.getRooms()) room.getLiveTimeline().getEvents().forEach(look);
    client.on(MatrixEventEvent.Decrypted, look);
  });
}
