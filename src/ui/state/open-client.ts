import type { Logger } from "matrix-js-sdk/lib/logger.js";
import { namedFetch } from "../matrix/named-fetch.ts";
import type { Connection } from "../model/home-state.ts";
import {
  ClientEvent,
  createClient,
  HttpApiEvent,
  type MatrixClient,
  PendingEventOrdering,
  SyncState,
} from "../sdk.ts";
import type { Account } from "./accounts.ts";
import { resendUnsent } from "./resend-unsent.ts";

export type OpenedClient = { client: MatrixClient; close(): void };

type Listeners = {
  onConnection(connection: Connection): void;
  /** The access token is no longer valid. */
  onSignedOut(): void;
};

const silent = () => undefined;

/** Errors belong in the console; what the SDK does all day does not. */
const quietLogger: Logger = {
  trace: silent,
  debug: silent,
  info: silent,
  warn: console.debug,
  error: console.error,
  getChild: () => quietLogger,
};

/**
 * Creates the account's MatrixClient and starts its sync. The SDK keeps what it learns in memory: the
 * homeserver is on this machine, so a fresh sync is quick, and no second copy can go stale beside it.
 */
export async function openClient(baseUrl: string, account: Account, on: Listeners): Promise<OpenedClient> {
  const client = createClient({
    baseUrl,
    fetchFn: namedFetch,
    userId: account.userId,
    deviceId: account.deviceId,
    accessToken: account.accessToken,
    timelineSupport: true,
    logger: quietLogger,
  });
  client.on(ClientEvent.Sync, (state, before) => {
    // Once prepared, the SDK starts its manager of calls, which are not made here and which complains about
    // every new room. Stopping it again costs nothing.
    if (state === SyncState.Syncing) client.matrixRTC.stop();
    const wasAway = before === SyncState.Error || before === SyncState.Reconnecting;
    if (wasAway && (state === SyncState.Syncing || state === SyncState.Catchup)) {
      // Those that fail again show it in the timeline, and have their turn the next time.
      resendUnsent(client).catch((error: unknown) => console.debug("still not sent", error));
    }
    if (state === SyncState.Error || state === SyncState.Reconnecting) on.onConnection("reconnecting");
    else if (state !== SyncState.Stopped) on.onConnection("live");
  });
  client.on(HttpApiEvent.SessionLoggedOut, on.onSignedOut);
  await client.startClient({
    initialSyncLimit: 20,
    lazyLoadMembers: true,
    pendingEventOrdering: PendingEventOrdering.Detached,
  });
  return {
    client,
    close() {
      client.removeAllListeners();
      client.stopClient();
    },
  };
}
