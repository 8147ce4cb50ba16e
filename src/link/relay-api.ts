/**
 * What a node asks of its relay, as exchanges over its session (or, for those marked so, by anybody over HTTP). JSON
 * both ways unless said otherwise; errors are Matrix errors. All of it under `/_relay/v1`, which no other part of a
 * node's origin uses: a page's own service worker lets it through to the network.
 */

export const RELAY_API = "/_relay/v1";

/** `GET /info`, for everybody: what this relay is, and what it allows. */
export type RelayInfo = {
  /** Its name: `relay.example.org` or with a port. Nodes that have it as their home are `<key>.<name>`. */
  name: string;
  version: string;
  /** Only where it takes nodes: what follows the key in the names of nodes that have it as their home. */
  home_suffix?: string;
  link: {
    /** `wss://…` or `ws://…`. */
    websocket: string;
    /** Absent where there is no QUIC. Hashes (base64, SHA-256) of the certificates that are valid now and next. */
    webtransport?: { url: string; certificate_hashes?: string[] };
    /** `https://…/_relay/v1/link`. */
    fetch: string;
  };
  /** The public key for Web Push (VAPID), base64url, 65 bytes. Absent where there is no wake-up. */
  wake_up_key?: string;
  limits: {
    /** Bytes of one transaction's body. */
    transaction_bytes: number;
    /** What is kept for one node. */
    mailbox_bytes: number;
    mailbox_entries: number;
    /** How long, in milliseconds. */
    retention: number;
  };
};

/**
 * `GET /mailbox?acknowledge=ID&after=ID&wait=MS`: drops all entries up to `acknowledge` (of which the node has
 * committed what they say), then gives the oldest one after `after` (0 when left out). Waits up to `wait` milliseconds
 * (at most 25,000) for one where there is none.
 */
export type MailboxAnswer = {
  entry?: MailboxEntry;
  /** Whether more follow. */
  entries_queued: boolean;
};

/** A signed request as it came. The node checks the signature itself. */
export type MailboxEntry = {
  entry_id: number;
  origin: string;
  transaction_id: string;
  method: string;
  uri: string;
  authorization: string[];
  /** base64 of the body. */
  body: string;
  /** Milliseconds since 1970. */
  received_at: number;
};

/** `PUT /presence`: the node goes to sleep (all for it goes to the mailbox, at once) or is awake again. */
export type PresenceRequest = { asleep: boolean };

/** `PUT /server-keys`: the signed answer to `GET /_matrix/key/v2/server`, which is served while the node is away. */
export type ServerKeysRequest = { document: object };

/**
 * `PUT /key-mailbox/{userId}`: what others get of this user while the node is away. Takes the place of what was there,
 * except for one-time keys: those of `one_time_keys` are added, and given out once each. `POST /key-mailbox/take-back`
 * gives `TakenBack` and empties the mailbox of all users' one-time keys in the same step: afterwards none is given
 * out that is not in `given`. It is asked again until `acknowledge`d, and answers the same.
 */
export type KeyMailboxRequest = {
  /** As `GET /_matrix/federation/v1/user/devices/{userId}` answers it. */
  devices: object;
  /** As `POST /_matrix/federation/v1/user/keys/query` answers it for this user: device_keys and cross-signing keys. */
  device_keys: object;
  master_key?: object;
  self_signing_key?: object;
  /** By device, by `algorithm:key id`. */
  one_time_keys: { [deviceId: string]: { [keyId: string]: unknown } };
  /** By device, by `algorithm:key id`. Given out when the one-time keys are gone, again and again. */
  fallback_keys: { [deviceId: string]: { [keyId: string]: unknown } };
  /**
   * The number of the latest `TakenBack` that the node has (0: none yet). A deposit that was under way when the keys
   * were taken back is refused by it, 409 M_CONFLICT: its keys are the node's again. Left out: not checked.
   */
  taken_back?: number;
};

/** `POST /key-mailbox/take-back`, body `{ acknowledge?: number }`: the number of an earlier answer that is committed. */
export type TakenBack = {
  /** Of this answer. */
  number: number;
  /** One-time keys that have been given out since the last acknowledged answer, and fallback keys that were used. */
  given: GivenKey[];
  /** Those that were not, and are the node's again. */
  left: GivenKey[];
};
export type GivenKey = { user_id: string; device_id: string; key_id: string };

/** `PUT /wake-up`: a PushSubscription's JSON; null: none any more. */
export type WakeUpRequest = {
  subscription: { endpoint: string; keys: { p256dh: string; auth: string } } | null;
};

/** `PUT /client-api`: whether requests under `/_matrix/client` and `/_matrix/media` reach the node. Starts as false. */
export type ClientApiRequest = { open: boolean };

/** `PUT /name`: asks for `<label>.<relay name>` beside the node's own name. 409 M_USER_IN_USE when it is taken. */
export type NameRequest = { label: string };
export type NameAnswer = { name: string };

/** `GET /status`: what the relay keeps for this node. */
export type NodeStatus = {
  asleep: boolean;
  mailbox: { entries: number; bytes: number };
  names: string[];
  client_api: boolean;
  wake_up: boolean;
};
