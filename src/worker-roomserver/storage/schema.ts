import type { DBSchema, StoreNames } from "idb";

/*
 * Every store, key and index of the database. Rows are kept small: ids that repeat are interned as integers
 * ("nid", see names.ts), and rows that are written for every event are arrays, because a structured clone
 * repeats each property name in each row.
 */

/** An interned string: a room, user, event type or state key. 1 and up. */
export type Nid = number;
/** An event. 1 and up, in the order in which events became known here. */
export type EventNid = number;
/** A state snapshot. 1 and up; 0 is the empty state. */
export type SnapshotNid = number;
/** A place in the log. 1 and up, without gaps in order of commitment. */
export type Position = number;

export type NumbersRow = Pick<Counters, "eventNid" | "snapshotNid">;

/** Who may write. A leader whose epoch is lower than this has lost, and writes nothing. */
export type LeadRow = { epoch: number };

/**
 * The last numbers given out: the last keys of `log`, `nameTexts`, `events` and `snapshots`. The row "numbers" of `meta`
 * has some of them from when rows were last removed, so that what has been removed never gives its number away.
 */
export type Counters = {
  position: Position;
  nameNid: Nid;
  eventNid: EventNid;
  snapshotNid: SnapshotNid;
};

/**
 * Entries that were written together: `[topic, room, user, event, detail]` each, 0 or "" where a topic has no such
 * thing. Read it with log/entry.ts.
 */
export type LogRow = [topic: number, room: Nid, user: Nid, event: EventNid, detail: string][];

/** A place in the journal. 1 and up; those of one leader follow one another. */
export type JournalKey = number;

/** What was committed together, as it is stored (see operations.ts). */
export type ChangesRow = { operations: unknown[]; first: Position; entries: LogRow };

/** Changes, or the marker of a leader (see lead.ts). */
export type JournalRow = ChangesRow | { epoch: number };

/**
 * What is known of the journal, in `meta`. `id`: of the files that belong to this database, "" for none.
 * `applied`: the last record that is in its stores.
 */
export type JournalState = { id: string; applied: JournalKey };

/**
 * An event and what is known about it; in the room's timeline too, so that a page of history is one range of an
 * index and a send writes few rows. The names are short because each row repeats them.
 */
export type EventRow = {
  n: EventNid;
  /** The event as JSON text; redacted, if it has been. */
  json: string;
  /** Its id; of one that came without its room with a "~" before it, so that nobody finds it who asks for an event. */
  id: string;
  /** Room. */
  r: Nid;
  /**
   * The order in the room's timeline, negated: the newest come first, as `getAll` with a count reads only forwards.
   * "" for what is in no timeline (outliers, rejected and soft-failed events): it sorts after all numbers.
   */
  o: number | "";
  /** `origin_server_ts`, of events of the timeline alone: history is looked up by it. */
  ts?: number;
  /** The state before the event; 0 for an outlier, of which it is not known. */
  b: SnapshotNid;
  /** The room's current state once the event was taken into the timeline live; of others, the state after it. */
  c: SnapshotNid;
  /** The state after the event, where that is not `c`. */
  d?: SnapshotNid;
  /**
   * Of an event that was taken in live: the room's forward extremities after it, where it is not the only one.
   * Of a rejected or soft-failed one: the forward extremities that it is built upon, by whatever way.
   */
  f?: EventNid[];
  /** 1 rejected, 2 soft-failed; absent: accepted. */
  s?: 1 | 2;
  /** Why it was rejected or soft-failed, as a sentence. */
  w?: string;
  /** 1 for an outlier: known for what it authorises, without a place in the room's history. */
  u?: 1;
  /** Of a member event that came without its room, and is in no timeline: the position in the log at which it came. */
  k?: Position;
  /** 1 where events right before this one are not known here. */
  g?: 1;
  /** JSON text of the content that the auth rules still go by, where a redaction took some of that away. */
  q?: string;
  /** The redaction of it. */
  x?: EventNid;
  /** The state event that this one took the place of. */
  p?: EventNid;
  /** Device and transaction id of a local sender. */
  t?: [deviceId: string, txnId: string];
};

/** Where the room stands is what its newest event says: only that it exists, and in which version, is kept apart. */
export type RoomRow = { roomId: string; version: string };

/**
 * `base`: 0 for a snapshot that stands alone. `index`: number of changes since the chain began.
 * `delta`: flat triples type, state key, event (0: the entry is gone).
 */
export type SnapshotRow = [base: SnapshotNid, index: number, delta: Uint32Array];

/** Codes of `membership` in rows, so that they can stand in a key. */
export const MEMBERSHIPS = ["leave", "join", "invite", "knock", "ban"] as const;
export type Membership = (typeof MEMBERSHIPS)[number];

/**
 * How an event awaits another, that is not there or was rejected: as the target of its redaction, as an auth event for
 * want of which it was rejected itself, or as one that it is built upon.
 */
export type AwaitedAs = "redaction" | "auth" | "prev";
/** All of the ways at once: a redaction may be built upon what it redacts. */
export type AwaitedRow = AwaitedAs[];

/** An event that relates to another, as `m.relates_to` of its content says. */
export type RelationRow = [event: EventNid, relType: string, eventType: string, sender: string];

/** `o`: the order of the thread's latest event, negated. */
export type ThreadRow = { r: Nid; root: string; o: number };

/** An event of the timeline, and those of its `prev_events` that are not known here. */
export type GapRow = { event: EventNid; missing: string[] };

export type MembershipRow = {
  u: Nid;
  r: Nid;
  /** Index in MEMBERSHIPS. */
  m: number;
  /** The member event. */
  e: EventNid;
  /** Position at which it took effect. */
  p: Position;
  /** 1 once the user has forgotten the room. */
  f: 0 | 1;
  /**
   * Of a membership by an event that came without the room: `{ version, state }` as JSON text, the version that the room is
   * said to have and the stripped state that came along; "" once it has ended.
   */
  s?: string;
};

export type AccountRow = {
  userId: string;
  /** PHC string, or "" when the account has no password. */
  passwordHash: string;
  createdAt: number;
  kind: "user" | "guest" | "appservice";
  admin: boolean;
  deactivated: boolean;
  /** Deactivated, and has rooms still to leave. */
  leaving: boolean;
  /** By an administrator: no token of the account is good for anything but to log out. Absent: not. */
  locked?: boolean;
  /** By an administrator: the account may read, and little else. Absent: not. */
  suspended?: boolean;
};
export type DeviceRow = {
  userId: string;
  deviceId: string;
  displayName: string;
  lastSeenTs: number;
  lastSeenIp: string;
  /** Of a dehydrated device, which nobody is logged in with: what its user makes it from, as JSON text. */
  dehydrated?: string;
};
/** Keyed by the SHA-256 of the token: a copy of the database gives nobody a login. */
export type TokenRow = {
  userId: string;
  deviceId: string;
  /**
   * `login`: lets another device log in once. `spent`: a refresh token of OAuth that was good once. `openid`: tells others
   * who its user is. None of these belongs to a device: they have "" for it.
   */
  kind: "access" | "refresh" | "login" | "spent" | "openid";
  expiresAt: number | null;
  /** Key of the refresh token that this one was given out for and that ends with its first use; "" for none. */
  replaces: string;
  /** Of a login that came by OAuth. */
  oauth?: OAuthLogin;
};
/** Which client has logged in, and which of its logins on a device this is. */
export type OAuthLogin = { client: string; grant: string };
export type RegistrationTokenRow = {
  token: string;
  usesAllowed: number | null;
  completed: number;
  expiresAt: number | null;
};
export type UiaRow = {
  /** What the session was opened for: an attempt at anything else with it is refused. */
  purpose: string;
  createdAt: number;
};
/** What a client has said of itself (a ClientMetadata), as canonical JSON; `at`: when it last did. */
export type OAuthClientRow = { json: string; at: number };
/** Who gave their password. `mark` changes with the password, so that what they allowed ends with it. */
export type OwnerRow = { userId: string; mark: string };
/** What ends by itself, under the hash of the secret that opens it. */
export type OAuthSecretRow = { expiresAt: number } & (
  | OAuthPageRow
  | OAuthCodeRow
  | OAuthDeviceRow
  | { kind: "reset" }
);
/** Someone is signed in to a page. `purpose`: JSON text of what for. */
export type OAuthPageRow = { kind: "page"; owner: OwnerRow; purpose: string };
export type OAuthCodeRow = {
  kind: "code";
  owner: OwnerRow;
  client: string;
  redirectUri: string;
  challenge: string;
  scope: string;
  deviceId: string;
  displayName: string;
  /** The login that it was redeemed for: whoever comes with it again ends that. */
  given?: string;
};
export type OAuthDeviceRow = {
  kind: "device";
  client: string;
  scope: string;
  deviceId: string;
  displayName: string;
  /** Hash of what the user types in. */
  userCode: string;
  /** Whose account it may use, or that it may not; absent: nobody has said so far. */
  verdict?: OwnerRow | "denied";
};
/** What somebody has complained of. */
export type ReportRow = {
  /** Counts up, negated: the newest come first. */
  n: number;
  /** User id of who complains. */
  by: string;
  /** Milliseconds since 1970. */
  at: number;
  /** "" where there was none. */
  reason: string;
  /** -100, the worst, to 0; of events, from clients that still say so. */
  score?: number;
} & ({ roomId: string; eventId?: string } | { userId: string });
/** `p`: where it was last changed. */
export type ProfileRow = { json: string; p: Position };

export type AccountDataRow = {
  u: Nid;
  /** 0 for what is not about a room. */
  r: Nid;
  type: string;
  /** The content, as JSON text. */
  json: string;
  p: Position;
};
export type ReceiptRow = {
  r: Nid;
  u: Nid;
  /** m.read, m.read.private or m.fully_read. */
  type: string;
  /** "" unthreaded, "main", or the thread's root. */
  thread: string;
  eventId: string;
  /** The event's place in the room's order: a marker never moves back. */
  order: number;
  ts: number;
  p: Position;
};
export type PresenceRow = {
  presence: "online" | "offline" | "unavailable";
  statusMsg: string;
  lastActiveTs: number;
  p: Position;
};
/** A message that waits for a device here, by `type` and `sender`; the content as JSON text. */
export type ToDeviceRow = { type: string; sender: string; json: string };
/**
 * The weight of a message (see to-device/bounds.ts) and whether it asks for a key stand in its key, so that a queue can be
 * kept within its bound without reading any message.
 */
export type ToDeviceKey = [
  userId: string,
  deviceId: string,
  position: Position,
  sender: string,
  weight: number,
  isKeyRequest: 0 | 1,
];
/** One EDU `m.direct_to_device` that another server is to get: its `message_id`, and `messages` as JSON text. */
export type OutboxRow = { type: string; sender: string; messageId: string; json: string };
/**
 * The index for search, in `meta`. `version`: of what is in it; it is made anew for another one. Of the events that were
 * there when it was begun, up to number `end`, those up to `upTo` are in it; later ones come with the log.
 */
export type SearchState = { version: number; upTo: EventNid; end: EventNid };
/** A version of a user's key backup. `count`: its sessions. `etag` rises whenever one of them changes. */
export type KeyBackupRow = { algorithm: string; authData: string; count: number; etag: number };
/**
 * What the server knows of one piece of media. Its bytes are in `blobs`; without `blob` they are still to be uploaded.
 */
export type MediaRow = {
  /** The server that it comes from, "" for this one. */
  origin: string;
  id: string;
  /** Who has uploaded it, "" for what the server has fetched itself: from other servers, or for previews. */
  user: string;
  /** When it came here, in milliseconds since 1970, negated: lists begin with the newest. */
  order: number;
  /** Key of its bytes. */
  blob?: string;
  /** Of what was uploaded; 0 until then. */
  size: number;
  /** A media type that can stand in a header. */
  type: string;
  /** The file's name, "" for none. */
  name: string;
  /** The user once more, as long as nothing has been uploaded. */
  pending?: string;
  /** When it goes: media that nobody has uploaded, and what can be fetched again. */
  until?: number;
  /** 1: kept, and shown to nobody. */
  quarantined?: 1;
  /** 1: the owner does not want it to go by mistake. */
  protected?: 1;
};
/** A smaller image made of one. `still`: 1 where that one moves. */
export type ThumbnailRow = { blob: string; type: string; still?: 1 };
/** What of a user's uploads is kept. */
export type MediaUsageRow = [bytes: number, files: number];
/** What a page had to say of itself, as JSON text, good until then. */
export type UrlPreviewRow = { json: string; until: number };
/** The access token that a page has last shown, by its hash. */
export type PageRow = { hash: string; at: number };

/** An unclaimed one-time key: its id and, as JSON text, the key. */
export type OneTimeKeyRow = [id: string, json: string];
/** One that was claimed: its id, and the fingerprint of the key, so that it is known when it is uploaded again. */
export type UsedOneTimeKeyRow = [id: string, fingerprint: string];
/** `used`: it has been claimed since it was uploaded. */
export type FallbackKeyRow = { id: string; json: string; used: boolean };
/** The signature of a user's key (a device's id, or a public key) that `signer` made with `by`, as in `ed25519:A`. */
export type KeySignatureRow = { user: string; signer: string; key: string; by: string; signature: string };
/**
 * Where the keys of `u` have last changed: for those who share rooms with them (`v` is 0), or for `v` alone, whose
 * signatures they have.
 */
export type DeviceListChangeRow = { v: Nid; u: Nid; p: Position };
/** One event that a push rule of the user wants counted. */
export type PushActionRow = [event: EventNid, highlight: 0 | 1, thread: string];

/**
 * An event that a user was to be notified of, read or not. `actions`: those of the rule, as JSON text. `ts`: when that
 * was found, milliseconds since 1970.
 */
export type NotificationRow = [event: EventNid, room: Nid, highlight: 0 | 1, ts: number, actions: string];

/** A pusher of a device, which goes with it. */
export type PusherRow = {
  userId: string;
  appId: string;
  pushkey: string;
  deviceId: string;
  /** The pusher as its owner sees it, as JSON text. */
  json: string;
  /** When it was last set, milliseconds since 1970. */
  ts: number;
  /** Where the log stood when it was made: nothing older is for it. */
  start: Position;
};

/**
 * How far a pusher has come. It may be written when the pusher has gone: `start` says which one it is of.
 * `sent`: the order of the last event it is done with. `failures`: attempts that failed since one did not.
 * `notBefore`: when to try again, milliseconds since 1970.
 */
export type PushProgressRow = { start: Position; sent: number; failures: number; notBefore: number };

/**
 * A registered application service: its registration as JSON text, without the `as_token`, of which the hash is kept.
 * `since`: it is told of what the log has after this.
 */
export type AppServiceRow = { json: string; tokenHash: string; since: Position };
/** The last transaction that was made for a service. */
export type AppServiceSendingRow = {
  number: number;
  /** Its body, which is never another; "" once the service has taken it. */
  json: string;
  /** How often in a row it was not taken, and when it is sent again: milliseconds since 1970. */
  failures: number;
  retryAt: number;
};

/** A relay that this node keeps a session with. */
export type RelayRow = {
  /** What it calls itself, "" until it has been reached. */
  name: string;
  added: "home" | "owner";
  /** Whether what reaches it for the client API is let through. */
  clientApi: boolean;
  /** Names that it has given to this node. */
  names: string[];
  /** With what it wakes a browser of the owner: a PushSubscription as JSON text. */
  wakeUp?: string;
  /** The number of its last answer to a take-back of keys whose effect is here; 0 for none. */
  takenBack: number;
};
/** A transaction of another server as it came, which nobody has checked yet. `body`: Base64. */
export type MailRow = {
  method: string;
  uri: string;
  authorization: string[];
  body: string;
  /** Milliseconds since 1970: when the relay got it, or the node itself. */
  receivedAt: number;
};
/**
 * All that has to be known of mail without reading it. `position`: of its entry in the log. `bytes`: of its row, about.
 * `digest`: tells deliveries of one transaction apart that differ in anything that was signed.
 */
export type MailKey = [
  position: Position,
  bytes: number,
  origin: string,
  transactionId: string,
  digest: string,
];
/** A transaction that has had its effect. `at`: when, in milliseconds since 1970. `answer`: what its sender is told. */
export type MailTakenRow = { at: number; origin: string; transactionId: string; answer?: string };
/**
 * An event of another server that cannot be taken in yet, as it lacks others or a key. `json`: as it is to be stored.
 * `origin`: the server that has sent it. `at`: when, in milliseconds since 1970.
 */
export type WaitingEventRow = { json: string; origin: string; at: number };
/** What has become of asking a server. See `DestinationState` for what the members mean. */
export type DestinationRow = {
  failures: number;
  failingSince: number;
  retryAt: number;
  lastSuccess: number;
  lastError: string;
};
/** A message to devices that another server has sent. `at`: when it came, milliseconds since 1970. */
export type ReceivedMessageRow = { origin: string; messageId: string; at: number };
/** The last update of a user's devices that other servers are sent, and the one before it; 0 for none. */
export type DeviceListUpdateRow = [streamId: Position, previous: Position];
/** What is known of the devices of a user of another server, who shares a room with somebody here. */
export type RemoteDeviceListRow = {
  userId: string;
  /** `stream_id` of what the user's server said last; absent where it did not say. */
  streamId?: number;
  /** The user's server, as long as its list has to be asked for: something has changed that is not known here. */
  stale?: string;
  /** As JSON text, with the owner's signatures. */
  master?: string;
  selfSigning?: string;
};
/** Identity keys of a device with the owner's signatures, as JSON text, and its name, "" for none. */
export type RemoteDeviceRow = [json: string, displayName: string];
/**
 * A key of a server. `validUntil`: up to when what it signs counts, milliseconds since 1970. `told`: the server has named
 * it itself as one that it signs with (`current`), or one that it gave up then (`old`); or only another server has said so
 * (`hearsay`), which is good for events alone.
 */
export type ServerKeyRow = { key: string; validUntil: number; told: "current" | "old" | "hearsay" };
/** What is known of a server's keys. */
export type ServerKeysRow = {
  /** By key id; the key in Base64. */
  keys: { [keyId: string]: ServerKeyRow };
  /** What it has published itself, as JSON text: the newest first, and older ones that have keys which those have not. */
  documents: string[];
  /** When it last did, milliseconds since 1970; 0 for never. */
  askedAt: number;
};
/**
 * What a server is still to be sent. An event `e` of room `r`; `s`: 1 where earlier ones of the room were left out, as it
 * was away for long. Or an EDU as JSON text, with the key by which a later one takes its place.
 */
export type OutgoingRow = { e: EventNid; r: Nid; s?: 1 } | { edu: string; k?: string };
/** By what relays another server can be reached: URLs that the owner knows, and those that it names itself. */
export type RelaysOfServerRow = {
  owner: string[];
  named: string[];
  /** When its key document was last read, in milliseconds since 1970; 0: never. */
  readAt: number;
};
/** A one-time key that a relay gives out, and this node does not: the relay's URL, the key's id and itself as JSON text. */
export type DepositedKeyRow = [relay: string, id: string, json: string];

export interface HearthSchema extends DBSchema {
  /** Single rows: "lead", "identity", "journal", "numbers", "search". */
  meta: { key: string; value: unknown };
  journal: { key: JournalKey; value: JournalRow };
  /** By the position of a row's last entry. */
  log: { key: Position; value: LogRow };
  /** Text to nid; `nameTexts` is its inverse. */
  names: { key: string; value: Nid };
  nameTexts: { key: Nid; value: string };
  /** In-line key `n`; by event id, and by room and order. */
  events: {
    key: EventNid;
    value: EventRow;
    indexes: { id: string; timeline: [Nid, number | ""]; time: [Nid, number] };
  };
  rooms: { key: Nid; value: RoomRow };
  /** Rooms whose data is being removed, since the log said so at that position. */
  purges: { key: Nid; value: { since: number } };
  /**
   * `[room, newest event]` to `[nid, number of auth events, ...their nids]` of state events that were written
   * together, in ascending order.
   */
  authEdges: { key: [Nid, EventNid]; value: Uint32Array };
  /** `[room, event id that is awaited, event that waits]`. */
  awaited: { key: [Nid, string, EventNid]; value: AwaitedRow };
  /** `[room, event id that is related to, negated order of the one that relates]`. */
  relations: { key: [Nid, string, number]; value: RelationRow };
  /** In-line key `[r, root]`; by room and latest event, the latest first. */
  threads: { key: [Nid, string]; value: ThreadRow; indexes: { latest: [Nid, number] } };
  /** `[room, negated order]`: where history is missing. */
  gaps: { key: [Nid, number]; value: GapRow };
  snapshots: { key: SnapshotNid; value: SnapshotRow };
  /** In-line key `[u, r]`. */
  memberships: { key: [Nid, Nid]; value: MembershipRow; indexes: { room: [Nid, number, Nid] } };
  aliases: { key: string; value: { roomId: string; creator: string }; indexes: { room: string } };
  /** Rooms listed in the public directory. */
  published: { key: Nid; value: { p: Position } };
  /** What a request with a transaction id was answered: `[user, device, path]` to an event id. */
  transactions: { key: [string, string, string]; value: [eventId: string, ts: number] };
  /** What a request was answered that cannot be carried out twice (answers.ts). */
  answers: { key: string; value: { at: number; json: string } };
  /** Offsets of durable readers: the log is kept from the lowest of them on. */
  readers: { key: string; value: Position };
  accounts: { key: string; value: AccountRow };
  devices: { key: [string, string]; value: DeviceRow };
  tokens: { key: string; value: TokenRow; indexes: { device: [string, string] } };
  registrationTokens: { key: string; value: RegistrationTokenRow };
  uia: { key: string; value: UiaRow };
  profiles: { key: string; value: ProfileRow };
  /** In-line key `[u, r, type]`; by user and position for sync. */
  accountData: {
    key: [Nid, Nid, string];
    value: AccountDataRow;
    indexes: { position: [Nid, Position] };
  };
  /** `[user, filter id]` to the filter's JSON text. */
  filters: { key: [Nid, string]; value: string };
  /** `[r, type, u, thread]`; by room and position for sync. */
  receipts: {
    key: [Nid, string, Nid, string];
    value: ReceiptRow;
    indexes: { position: [Nid, Position]; user: [Nid, Nid] };
  };
  presence: { key: Nid; value: PresenceRow };
  /** By client id. */
  oauthClients: { key: string; value: OAuthClientRow };
  /** By the hash of a secret; what is of kind `reset`, by user id. */
  oauthSecrets: {
    key: string;
    value: OAuthSecretRow;
    indexes: { expiry: number; userCode: string };
  };
  /** `[user, device]` to the device's identity keys with the signatures of their owner, as JSON text. */
  deviceKeys: { key: [string, string]; value: string };
  /** `[user, device, algorithm, n]`: `n` rises in the order of uploads, and is given out once. */
  oneTimeKeys: { key: [string, string, string, number]; value: OneTimeKeyRow };
  /** The newest of those that were claimed, under the keys that they had. */
  usedOneTimeKeys: { key: [string, string, string, number]; value: UsedOneTimeKeyRow };
  /** `[user, device, algorithm]`. */
  fallbackKeys: { key: [string, string, string]; value: FallbackKeyRow };
  /** `[user, usage]` to the key with the signatures of its owner that it came with, as JSON text. */
  crossSigningKeys: { key: [string, string]; value: string };
  /** In-line key `[user, signer, key, by]`; by who signed, and with which key. */
  keySignatures: {
    key: [string, string, string, string];
    value: KeySignatureRow;
    indexes: { signer: [string, string] };
  };
  /** In-line key `[v, u]`; by who is told, and position. */
  deviceListChanges: {
    key: [Nid, Nid];
    value: DeviceListChangeRow;
    indexes: { position: [Nid, Position] };
  };
  /** `[user, room, order]`. */
  pushActions: { key: [Nid, Nid, number]; value: PushActionRow };
  toDevice: { key: ToDeviceKey; value: ToDeviceRow };
  /** `[server name, position]`: in the order in which that server is to get them. */
  toDeviceOutbox: { key: [string, Position]; value: OutboxRow };
  /** `[user id, negated version]`: the current version comes first. */
  keyBackups: { key: [string, number]; value: KeyBackupRow };
  /** By user id, the last version that was given out: none is given out twice. */
  keyBackupVersions: { key: string; value: number };
  /** `[user id, version, room id, session id]` to the key's data as JSON text. */
  keyBackupSessions: { key: [string, number, string, string]; value: string };
  /** `[user, negated order]`: the newest first. */
  notifications: { key: [Nid, number]; value: NotificationRow };
  /** In-line key `[userId, appId, pushkey]`; by what the device goes by at its gateway. */
  pushers: { key: [string, string, string]; value: PusherRow; indexes: { pushkey: [string, string] } };
  /** By the pusher's key. */
  pushProgress: { key: [string, string, string]; value: PushProgressRow };
  /** Bytes of media. Written by `putBlob` alone, under keys that are never used again. */
  blobs: { key: string; value: Blob };
  /** In-line key `[origin, id]`; by time, by user and time, by the time when it goes, by its bytes, and what is pending. */
  media: {
    key: [string, string];
    value: MediaRow;
    indexes: {
      newest: [number, string, string];
      user: [string, number, string, string];
      until: number;
      blob: string;
      pending: string;
    };
  };
  /** `[origin, id, variant]`. */
  thumbnails: { key: [string, string, string]; value: ThumbnailRow; indexes: { blob: string } };
  /** By user, as in `MediaRow`. */
  mediaUsage: { key: string; value: MediaUsageRow };
  /** By address. */
  urlPreviews: { key: string; value: UrlPreviewRow; indexes: { until: number } };
  /** By the id that the browser has given to an open page. */
  pages: { key: string; value: PageRow };
  /** One row, which settings/settings.ts alone reads and writes: what the owner has set. */
  settings: { key: string; value: object };
  /** Users who had their content erased, to when the log stood at that position. */
  erasures: { key: string; value: Position };
  /** In-line key `n`, the newest first; by who reported. */
  reports: { key: number; value: ReportRow; indexes: { by: string } };
  /** `[room, negated number of the event that the block begins with]`: see search/documents.ts. */
  searchBlocks: { key: [Nid, number]; value: Uint32Array };
  /** By the service's id. */
  appServices: { key: string; value: AppServiceRow };
  appServiceSending: { key: string; value: AppServiceSendingRow };
  /** `[service, network, room]`: rooms that a service lists in the directory of one of its networks. */
  appServiceRooms: { key: [string, string, Nid]; value: 1 };
  /** By the relay's URL. */
  relays: { key: string; value: RelayRow };
  mail: { key: MailKey; value: MailRow };
  /** In-line key `[at, origin, transactionId]`; by transaction. */
  mailTaken: {
    key: [number, string, string];
    value: MailTakenRow;
    indexes: { transaction: [string, string] };
  };
  /** Under the keys that they have in `oneTimeKeys` when they are not with a relay. */
  depositedKeys: { key: [string, string, string, number]; value: DepositedKeyRow };
  /** In-line key `[origin, messageId]`; by when they came. */
  toDeviceReceived: { key: [string, string]; value: ReceivedMessageRow; indexes: { at: number } };
  /** By user. */
  deviceListUpdates: { key: Nid; value: DeviceListUpdateRow };
  /** In-line key `userId`; those that are stale by their server. */
  remoteDeviceLists: { key: string; value: RemoteDeviceListRow; indexes: { stale: string } };
  /** `[user id, device id]`. */
  remoteDevices: { key: [string, string]; value: RemoteDeviceRow };
  /** By server name. */
  destinations: { key: string; value: DestinationRow };
  /** By server name. */
  serverKeys: { key: string; value: ServerKeysRow };
  /** `[server name, position, n]`: of the entry of the log that it comes from; several EDUs may come from one. */
  outgoing: { key: [string, Position, number]; value: OutgoingRow };
  /** By server name. */
  relaysOfServers: { key: string; value: RelaysOfServerRow };
  /** `[room, event id]`. */
  waitingEvents: { key: [Nid, string]; value: WaitingEventRow };
}

export type StoreName = StoreNames<HearthSchema>;
/** Stores whose rows go through the journal: all but that of the bytes of media, which are too many for it. */
export type RowStore = Exclude<StoreName, "blobs">;
