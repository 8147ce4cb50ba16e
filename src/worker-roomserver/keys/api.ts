import type { JsonObject } from "../../matrix/json.ts";
import type { KeyChange } from "../log/key-changes.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Write } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { UiaChallenge } from "../users/api.ts";

/**
 * One-time and fallback keys as clients send and get them: `<algorithm>:<id>` to a key, which is a text or an object.
 * @see https://spec.matrix.org/v1.19/client-server-api/#key-algorithms
 */
export type NamedKeys = JsonObject;

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload */
export type UploadBody = {
  device_keys?: JsonObject | undefined;
  one_time_keys?: NamedKeys | undefined;
  fallback_keys?: NamedKeys | undefined;
};

/** How many one-time keys of each algorithm are left. An algorithm that has none left is not in it. */
export type KeyCounts = { [algorithm: string]: number };

/** A map of user id to device ids; no device ids stand for all. */
export type WantedDevices = { [userId: string]: string[] };
/** A map of user id to device id to algorithm. */
export type WantedKeys = { [userId: string]: { [deviceId: string]: string } };

/** What went wrong with each server that was asked. */
export type Failures = { [serverName: string]: JsonObject };

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
export type QueryAnswer = {
  device_keys: { [userId: string]: { [deviceId: string]: JsonObject } };
  master_keys: { [userId: string]: JsonObject };
  self_signing_keys: { [userId: string]: JsonObject };
  user_signing_keys: { [userId: string]: JsonObject };
  failures: Failures;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim */
export type ClaimAnswer = {
  one_time_keys: { [userId: string]: { [deviceId: string]: NamedKeys } };
  failures: Failures;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload */
export type CrossSigningBody = {
  master_key?: JsonObject | undefined;
  self_signing_key?: JsonObject | undefined;
  user_signing_key?: JsonObject | undefined;
  auth?: JsonObject | undefined;
};

/** A map of user id to key id (a device's id, or a public key in Base64) to the object that was signed. */
export type SignedKeys = { [userId: string]: { [keyId: string]: JsonObject } };
/** The same with errors, of those that were refused. */
export type SignatureFailures = { failures: { [userId: string]: { [keyId: string]: JsonObject } } };

/** A device that can be logged in later, from its data and the user's secret. */
export type DehydratedDevice = { device_id: string; device_data: JsonObject };
export type DehydratedDeviceBody = UploadBody & {
  device_id: string;
  device_data: JsonObject;
  initial_device_display_name?: string | undefined;
  device_keys: JsonObject;
};

/**
 * Keys for end-to-end encryption: what devices publish and others look up. "Reads" are records of the database.
 * @see https://spec.matrix.org/v1.19/client-server-api/#end-to-end-encryption
 */
export interface Keys {
  /**
   * Publishes keys of the requester's device, all of them or none. A one-time key that was uploaded before changes
   * nothing, also after it was claimed. Identity keys that differ from the device's earlier ones put an end to its
   * other keys, whose secret halves went with those.
   * @returns what is left of one-time keys, with those that were just uploaded
   * @throws MatrixError M_BAD_JSON 400 for keys of another user or device, or of the wrong form; M_INVALID_SIGNATURE 400
   *   if the device did not sign its keys; M_INVALID_PARAM 400 for another key under an id that is taken; M_TOO_LARGE 413
   *   for more than 1,000 one-time keys
   *
   * Reads the device's keys: at most 1,000 unclaimed ones, and 200 claimed ones for each algorithm.
   */
  upload(requester: Requester, body: UploadBody): Promise<{ one_time_key_counts: KeyCounts }>;

  /**
   * Devices and cross-signing keys, as far as the requester may see them: signatures of the keys' owner and of the
   * requester, and the requester's own user-signing key. Who is not known is not in the answer. Users of other servers
   * come from what is kept of them, if they share a room with somebody here, else from their servers; those that do not
   * answer are in `failures`.
   * @param timeoutMs - for other servers: 10 seconds unless it is said, and never more than 30
   * @throws MatrixError M_INVALID_PARAM 400 for what is no user id
   *
   * Reads the devices of each user, and their keys and signatures.
   */
  query(requester: Requester, wanted: WantedDevices, timeoutMs?: number): Promise<QueryAnswer>;

  /**
   * Takes one key of each device, in one unit. Each one-time key is given out once, the first uploaded first; where
   * there is none left, the fallback key. The same request gets the same keys again. Those of devices elsewhere are taken
   * by their servers, which are all asked at once.
   * @param timeoutMs - as for query
   * @throws MatrixError M_INVALID_PARAM 400 for what is no user id
   *
   * Reads at most two records for each key. Claims from one user come one after the other.
   */
  claim(request: RequestId, wanted: WantedKeys, timeoutMs?: number): Promise<ClaimAnswer>;

  /**
   * Publishes cross-signing keys. The user's password is needed to change what is there; not for the first master key,
   * and not for what is there already. A new key ends what the one before it has signed.
   * @throws MatrixError M_MISSING_PARAM 400 without a master key; M_INVALID_PARAM 400 for one that is malformed;
   *   M_INVALID_SIGNATURE 400 if the master key did not sign the others; M_FORBIDDEN 403 for one that is named as a
   *   device is
   * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload
   */
  uploadCrossSigning(requester: Requester, body: CrossSigningBody): Promise<JsonObject | UiaChallenge>;

  /**
   * Adds the requester's signatures to their own devices and master key, and to the master keys of others.
   * @returns an error for each key whose signatures were refused: M_NOT_FOUND, M_INVALID_PARAM, M_INVALID_SIGNATURE
   * @throws MatrixError M_INVALID_PARAM 400 for what is no user id
   * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload
   */
  uploadSignatures(requester: Requester, signed: SignedKeys): Promise<SignatureFailures>;

  /**
   * Keeps a dehydrated device with its keys, in place of the one before.
   * @throws as upload does, and M_INVALID_PARAM 400 for the id of a device that is logged in
   * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
   */
  putDehydratedDevice(requester: Requester, body: DehydratedDeviceBody): Promise<{ device_id: string }>;
  /** @throws MatrixError M_NOT_FOUND 404 if there is none */
  dehydratedDevice(requester: Requester): Promise<DehydratedDevice>;
  /** @throws MatrixError M_NOT_FOUND 404 if there is none */
  deleteDehydratedDevice(requester: Requester): Promise<{ device_id: string }>;
  /**
   * A page of the messages that wait for the dehydrated device; they stay until it goes.
   * @param from - `next_batch` of the page before
   * @param limit - how many at most; more than 100 are never given
   * @returns without `next_batch` where there was nothing: old clients go on until no events come, and newer ones until
   *   no token does
   * @throws MatrixError M_FORBIDDEN 403 if this is not the requester's dehydrated device; M_INVALID_PARAM 400 for a
   *   token that was never given out
   */
  dehydratedDeviceEvents(
    requester: Requester,
    deviceId: string,
    from: string | undefined,
    limit: number,
  ): Promise<{ events: JsonObject[]; next_batch?: string }>;
}

/** What sync asks. */
export interface KeysForReaders {
  /**
   * Those whose devices, keys or signatures have changed for `userId` after a position, be it once more past the span
   * that is looked at: who is told too early is told again. Whether they share a room is for the caller to find out.
   * @returns undefined where they are too many to be named: more than 10,000
   *
   * Reads one row for each.
   */
  changedLists(userId: string, after: Position): Promise<Set<string> | undefined>;
  /** Reads the keys of the device's rows when it is first asked about, and nothing later. */
  counts(userId: string, deviceId: string): Promise<DeviceCounts>;
}

/** `unusedFallbacks`: algorithms of fallback keys that nobody has claimed yet. */
export type DeviceCounts = { oneTimeKeys: KeyCounts; unusedFallbacks: string[] };

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
export type UserDevices = {
  user_id: string;
  /** Where the log stood at the last change: the `stream_id` of updates that other servers are sent. */
  stream_id: Position;
  devices: { device_id: string; device_display_name?: string; keys: JsonObject }[];
  master_key?: JsonObject;
  self_signing_key?: JsonObject;
};

/** What other servers ask about users of this one. They see what is signed by the keys' owner alone. */
export interface KeysForServers {
  /** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery */
  queryLocal(wanted: WantedDevices): Promise<QueryAnswer>;
  /** As Keys.claim, of devices of this server alone: what is asked about others is passed over. */
  claimLocal(request: RequestId, wanted: WantedKeys): Promise<ClaimAnswer>;
  /** @throws MatrixError M_NOT_FOUND 404 if there is no such user here */
  userDevices(userId: string): Promise<UserDevices>;
}

/** For who keeps what is known of users of other servers. */
export interface KeysForRemoteUsers {
  /** Tells those who share rooms with a user of another server that the user's devices or keys have changed. */
  tellChanged(write: Write, user: Nid, change: KeyChange & { what: "device" | "signing" }): void;
}

/** The keys of a user of another server, as that says, without signatures of anybody else. */
export type RemoteUserKeys = {
  devices: { deviceId: string; displayName: string; keys: JsonObject }[];
  master?: JsonObject;
  selfSigning?: JsonObject;
};

/** Keys of users of other servers, over federation. Nothing is thrown for servers that do not answer. */
export interface RemoteKeys {
  /** @param wanted - users of other servers; who is not known to their server is not in the answer */
  query(
    wanted: WantedDevices,
    timeoutMs: number,
  ): Promise<{ users: Map<string, RemoteUserKeys>; failures: Failures }>;
  /** Takes keys, each time it is called. */
  claim(wanted: WantedKeys, timeoutMs: number): Promise<ClaimAnswer>;
}

/** One-time and fallback keys by device. */
export type KeysByDevice = { [deviceId: string]: NamedKeys };
/** A key of a device: `keyId` is its name, as in `signed_curve25519:AAAAAQ`. */
export type NamedKey = { userId: string; deviceId: string; keyId: string };

/**
 * Lets relays give out keys while this node is away. A one-time key is either here or with one relay: while it is there,
 * nobody gets it here, though clients are told that they still have it.
 */
export interface KeysForRelays {
  /** Users of whom a device has published keys. One key of a store for each device. */
  usersWithDevices(): Promise<string[]>;
  /**
   * Sets aside some of a user's one-time keys for a relay, on the disk before it returns: at most 20 of a device and an
   * algorithm, and half of what there is. Those that the relay has already are not named again.
   *
   * Reads all unclaimed keys of the user's devices.
   */
  deposit(userId: string, relay: string): Promise<{ oneTimeKeys: KeysByDevice; fallbackKeys: KeysByDevice }>;
  /** Takes back keys that `deposit` has named, of which it is certain that the relay does not have them. */
  withdraw(userId: string, relay: string, oneTimeKeys: KeysByDevice): Promise<void>;
  /**
   * Takes in, in one unit, what a relay says of the keys that were set aside for it. Those of `left` are the node's again;
   * all others may have been given out, also those that the relay does not name: they are not given out any more.
   * @param given - which of them were, and which fallback keys
   * @param also - written in the same unit
   */
  takeBack(
    relay: string,
    keys: { given: readonly NamedKey[]; left: readonly NamedKey[] },
    also: (write: Write) => void,
  ): Promise<void>;
}
