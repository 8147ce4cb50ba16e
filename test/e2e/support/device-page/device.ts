import { type CryptoApi, CryptoEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import type { Logger } from "matrix-js-sdk/lib/logger.js";
import { type MSC3575List, SlidingSync } from "matrix-js-sdk/lib/sliding-sync.js";
import {
  type AccountDataEvents,
  ClientEvent,
  createClient,
  HttpApiEvent,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  PendingEventOrdering,
  type Room,
  RoomEvent,
  ThreadEvent,
} from "../../../../src/ui/sdk.ts";
import { Line } from "./line.ts";

/** Milliseconds that a device waits for what it has been told to expect: many times what it takes. */
const LIMIT = 30_000;

/** As registration and login answer. */
export type Credentials = { user_id: string; device_id: string; access_token: string };

const silent = () => undefined;
const silentLogger: Logger = {
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  getChild: () => silentLogger,
};

/** After which of its client's events a device looks again for what it waits for. */
const newsOfClient = [
  ClientEvent.Sync,
  ClientEvent.Event,
  HttpApiEvent.SessionLoggedOut,
  MatrixEventEvent.Decrypted,
  RoomEvent.Timeline,
  RoomEvent.MyMembership,
  RoomEvent.Receipt,
  RoomEvent.Redaction,
  CryptoEvent.DevicesUpdated,
  CryptoEvent.KeysChanged,
  CryptoEvent.KeyBackupDecryptionKeyCached,
  CryptoEvent.KeyBackupSessionsRemaining,
  CryptoEvent.KeyBackupStatus,
  CryptoEvent.UserTrustStatusChanged,
] as const;
/** The same, of each of its rooms. */
const newsOfRoom = [RoomEvent.UnreadNotifications, ThreadEvent.New, ThreadEvent.Update] as const;

export const baseUrl = (): string => new URL(".", location.href).href.replace(/\/$/, "");

/**
 * One device of one user: matrix-js-sdk with Rust crypto, whose keys are in memory unless it is to come again, so that
 * any number of devices can live in one page. All of it runs inside the page; tests hold handles of it.
 */
export class Device {
  readonly name: string;
  readonly client: MatrixClient;
  readonly line: Line;
  readonly credentials: Credentials;
  /** What the owner of the device types in when it asks for the key of the secret storage. */
  secretStorageKey: Uint8Array | undefined;
  loggedOut = false;
  /** Where the device syncs by it. */
  sliding: SlidingSync | undefined;
  /** What waits for something. */
  readonly #waiting = new Set<() => void>();

  constructor(name: string, credentials: Credentials) {
    this.name = name;
    this.credentials = credentials;
    this.line = new Line();
    this.client = createClient({
      baseUrl: baseUrl(),
      fetchFn: this.line.fetch,
      userId: credentials.user_id,
      deviceId: credentials.device_id,
      accessToken: credentials.access_token,
      timelineSupport: true,
      logger: silentLogger,
      cryptoCallbacks: {
        getSecretStorageKey: async ({ keys }) => {
          const [keyId] = Object.keys(keys);
          if (keyId === undefined || this.secretStorageKey === undefined) return null;
          return [keyId, this.secretStorageKey];
        },
        cacheSecretStorageKey: (_keyId, _info, key) => {
          this.secretStorageKey = key;
        },
      },
    });
    this.client.on(HttpApiEvent.SessionLoggedOut, () => {
      this.loggedOut = true;
    });
    const look = () => {
      for (const again of this.#waiting) again();
    };
    this.line.onAnswer = look;
    for (const name of newsOfClient) this.client.on(name, look);
    this.client.on(ClientEvent.Room, (room) => {
      for (const name of newsOfRoom) room.on(name, look);
    });
  }

  get crypto(): CryptoApi {
    const crypto = this.client.getCrypto();
    if (crypto === undefined) throw new Error(`${this.name} has no crypto`);
    return crypto;
  }

  get userId(): string {
    return this.client.getSafeUserId();
  }

  get deviceId(): string {
    return this.client.getDeviceId() ?? "";
  }

  /**
   * Starts it.
   * @param list - the list that it syncs by; without it, it syncs all its rooms
   * @param keeps - whether it has its keys in the browser's database, to find them in a later page: one device of a browser
   * @returns once it has synced for the first time
   */
  async start(list?: MSC3575List, keeps = false): Promise<this> {
    if (list !== undefined) {
      this.sliding = new SlidingSync(baseUrl(), new Map([["rooms", list]]), list, this.client, 30_000);
    }
    await this.client.initRustCrypto({ useIndexedDB: keeps });
    await this.client.startClient({
      initialSyncLimit: 20,
      threadSupport: true,
      pendingEventOrdering: PendingEventOrdering.Detached,
      ...(this.sliding && { slidingSync: this.sliding }),
    });
    await this.until("its first sync", () => this.client.isInitialSyncComplete());
    return this;
  }

  /**
   * Waits until a check finds what it looks for, looking again whenever the client has something new.
   * @param state - how things stand, for the message when it does not come
   */
  async until<T>(
    what: string,
    check: () => T | Promise<T>,
    state: () => unknown = () => "",
  ): Promise<NonNullable<T>> {
    const deadline = Date.now() + LIMIT;
    for (;;) {
      const next = this.#nextNews(deadline);
      const found = await check();
      if (found) return found;
      if ((await next) === "too late") {
        const refused = this.line.sent.filter(({ status }) => status >= 400).slice(-5);
        const now = JSON.stringify({ sync: this.client.getSyncState(), state: await state(), refused });
        throw new Error(`${this.name} has waited ${LIMIT} ms for ${what}; ${now}`);
      }
    }
  }

  #nextNews(deadline: number): Promise<"news" | "too late"> {
    return new Promise((resolve) => {
      const again = () => done("news");
      const timer = setTimeout(() => done("too late"), deadline - Date.now());
      const done = (how: "news" | "too late") => {
        clearTimeout(timer);
        this.#waiting.delete(again);
        resolve(how);
      };
      this.#waiting.add(again);
    });
  }

  /** @returns the room's id, once this device has the room from its sync */
  async createRoom({ encrypted = false, invite = [] as string[] } = {}): Promise<string> {
    const encryption = {
      type: "m.room.encryption",
      state_key: "",
      content: { algorithm: "m.megolm.v1.aes-sha2" },
    };
    const { room_id } = await this.client.createRoom({
      invite,
      initial_state: encrypted ? [encryption] : [],
    });
    await this.room(room_id, encrypted);
    return room_id;
  }

  async acceptInvite(roomId: string): Promise<void> {
    await this.until("an invite", () => this.client.getRoom(roomId)?.getMyMembership() === "invite");
    await this.client.joinRoom(roomId);
    await this.until("the room", () => this.client.getRoom(roomId)?.getMyMembership() === "join");
  }

  /** A room, once its sync has brought it. */
  async room(roomId: string, encrypted = false): Promise<Room> {
    return this.until(encrypted ? "an encrypted room" : "a room", async () => {
      if (encrypted && !(await this.crypto.isEncryptionEnabledInRoom(roomId))) return undefined;
      return this.client.getRoom(roomId) ?? undefined;
    });
  }

  /** Waits until it knows that somebody has joined. */
  async seesMember(roomId: string, userId: string): Promise<void> {
    await this.until(`${userId} in the room`, () =>
      this.client
        .getRoom(roomId)
        ?.getJoinedMembers()
        .some((member) => member.userId === userId),
    );
  }

  /** Waits until it knows a device of somebody. */
  async knowsDevice(userId: string, deviceId: string): Promise<void> {
    const devices = async () => (await this.crypto.getUserDeviceInfo([userId], true)).get(userId);
    await this.until(
      `device ${deviceId} of ${userId}`,
      async () => (await devices())?.has(deviceId),
      async () => [...((await devices())?.keys() ?? [])],
    );
  }

  /** Sends a text. @returns its event id */
  async say(roomId: string, body: string): Promise<string> {
    const { event_id } = await this.client.sendTextMessage(roomId, body);
    return event_id;
  }

  /** A message, once the device can read it. */
  async message(roomId: string, body: string): Promise<MatrixEvent> {
    return this.until(
      `“${body}”`,
      () => this.#events(roomId).find((event) => event.getContent().body === body),
      () => this.#events(roomId).map((event) => event.getContent().body ?? event.getType()),
    );
  }

  /** What somebody has said in a room from its beginning on, the oldest first, once the device can read the last of it. */
  async whole(roomId: string, sender: string, last: string): Promise<string[]> {
    await this.message(roomId, last);
    const timeline = this.client.getRoom(roomId)!.getLiveTimeline();
    // As a client does when its user scrolls up.
    while (await this.client.paginateEventTimeline(timeline, { backwards: true }));
    const said = timeline.getEvents().filter((event) => event.getSender() === sender && !event.isState());
    const texts = () =>
      said.map((event) => (event.getContent().body as string | undefined) ?? event.getType());
    await this.until(
      `all that ${sender} has said`,
      () => said.every((event) => event.getContent().body),
      texts,
    );
    return texts();
  }

  /** Ids of what somebody has said in a room as the homeserver has it, the oldest first. */
  async idsOf(roomId: string, sender: string): Promise<string[]> {
    const ids: string[] = [];
    for (let from: string | null | undefined = null; from !== undefined; ) {
      const page = await this.client.createMessagesRequest(roomId, from, 100, "b" as never);
      for (const event of page.chunk) {
        if (event.sender === sender && !("state_key" in event)) ids.unshift(event.event_id);
      }
      from = page.end;
    }
    return ids;
  }

  /** An event as soon as it is there, readable or not (its decryption has been tried). */
  async event(roomId: string, eventId: string): Promise<MatrixEvent> {
    const event = await this.until(`event ${eventId}`, () =>
      this.client.getRoom(roomId)?.findEventById(eventId),
    );
    // The SDK decrypts what came last of itself, and the rest when somebody is to see it.
    await this.client.decryptEventIfNeeded(event);
    await this.until(`event ${eventId} in clear`, () => !event.isBeingDecrypted());
    return event;
  }

  /** Where media are loaded from with a token. */
  mediaUrl(uri: string, small?: { width: number; height: number; method: "crop" | "scale" }): string {
    const { width, height, method } = small ?? {};
    return this.client.mxcUrlToHttp(uri, width, height, method, false, true, true) ?? "";
  }

  get authorization(): { authorization: string } {
    return { authorization: `Bearer ${this.client.getAccessToken()}` };
  }

  /** Has something come with its next sync, for what the SDK does only then. */
  async wakeSync(): Promise<void> {
    const type = "org.example.wakes_sync" as keyof AccountDataEvents;
    await this.client.setAccountDataRaw(type, { count: this.line.sent.length } as never);
  }

  #events(roomId: string): MatrixEvent[] {
    return this.client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
  }
}
