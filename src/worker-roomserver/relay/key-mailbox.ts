import type { GivenKey, KeyMailboxRequest } from "../../link/relay-api.ts";
import { MatrixError } from "../../matrix/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../matrix/json.ts";
import type { KeysForRelays, KeysForServers, NamedKey, UserDevices } from "../keys/api.ts";
import type { Write } from "../storage/api.ts";
import type { AskRelay } from "./relay-client.ts";

export type KeyMailboxOptions = {
  relay: string;
  ask: AskRelay;
  keys: Pick<KeysForServers, "queryLocal" | "userDevices"> & KeysForRelays;
  /** The number of the last take-back whose effect is here; 0 for none. */
  takenBack: TakenBackNumber;
};

export type TakenBackNumber = {
  get(): number;
  /** @param write - of the unit that takes the keys back; undefined: that unit has failed, and it is as before */
  set(number: number, write: Write | undefined): void;
};

/**
 * What a relay gives out of users' keys while this node is away. One for each session: what it has published before is
 * all that is known to be at the relay.
 */
export class KeyMailbox {
  readonly #options: KeyMailboxOptions;
  /** By user: the keys of each device, as the relay has them. */
  readonly #published = new Map<string, Map<string, string>>();

  constructor(options: KeyMailboxOptions) {
    this.#options = options;
  }

  /**
   * Takes back all one-time keys, and gives the relay all that there is now. Keys are set aside before they are sent, and
   * a take-back is acknowledged by the next one, after its effect is on the disk: so none is given out twice, wherever
   * this ends.
   */
  async begin(signal: AbortSignal): Promise<void> {
    this.#published.clear();
    await this.#takeBack(signal);
    for (const userId of await this.#options.keys.usersWithDevices()) {
      await this.#publish(userId, await this.#devicesOf(userId), signal);
    }
  }

  /**
   * Brings up to date what the relay has of some users. Where a device is gone, or has other keys than before, its
   * one-time keys are still at the relay: then all begins anew.
   */
  async update(userIds: Iterable<string>, signal: AbortSignal): Promise<void> {
    for (const userId of userIds) {
      const devices = await this.#devicesOf(userId);
      const now = keysByDevice(devices);
      const isAnew = [...(this.#published.get(userId) ?? [])].some(([id, keys]) => now.get(id) !== keys);
      if (isAnew) return this.begin(signal);
      await this.#publish(userId, devices, signal);
    }
  }

  async #takeBack(signal: AbortSignal): Promise<void> {
    const { ask, relay, keys, takenBack } = this.#options;
    const known = takenBack.get();
    const acknowledge = known === 0 ? {} : { acknowledge: known };
    const answer = await ask("POST", "/key-mailbox/take-back", acknowledge, signal);
    const { number } = answer;
    if (typeof number !== "number" || !Number.isSafeInteger(number) || number === known) {
      throw new MatrixError("M_UNKNOWN", 502, "The relay does not say which keys it has given out.");
    }
    const taken = { given: readKeys(answer.given), left: readKeys(answer.left) };
    try {
      await keys.takeBack(relay, taken, (write) => takenBack.set(number, write));
    } catch (error) {
      takenBack.set(known, undefined);
      throw error;
    }
  }

  async #publish(userId: string, devices: UserDevices | undefined, signal: AbortSignal): Promise<void> {
    const { ask, relay, keys } = this.#options;
    const [deposit, queried] = await Promise.all([
      keys.deposit(userId, relay),
      keys.queryLocal({ [userId]: [] }),
    ]);
    const shown = devices ?? { user_id: userId, stream_id: 0, devices: [] };
    const body: KeyMailboxRequest = {
      devices: shown,
      device_keys: queried.device_keys[userId] ?? {},
      ...(shown.master_key && { master_key: shown.master_key }),
      ...(shown.self_signing_key && { self_signing_key: shown.self_signing_key }),
      one_time_keys: deposit.oneTimeKeys,
      fallback_keys: deposit.fallbackKeys,
    };
    try {
      await ask("PUT", `/key-mailbox/${encodeURIComponent(userId)}`, body, signal);
    } catch (error) {
      // The relay has not taken them: without this, each attempt would cost some.
      if (error instanceof MatrixError && error.status < 500) {
        await keys.withdraw(userId, relay, deposit.oneTimeKeys);
      }
      throw error;
    }
    this.#published.set(userId, keysByDevice(devices));
  }

  /** Undefined for somebody who is here no more: the relay then has no devices of them. */
  async #devicesOf(userId: string): Promise<UserDevices | undefined> {
    try {
      return await this.#options.keys.userDevices(userId);
    } catch (error) {
      if (error instanceof MatrixError && error.status === 404) return undefined;
      throw error;
    }
  }
}

const keysByDevice = (devices: UserDevices | undefined) =>
  new Map((devices?.devices ?? []).map(({ device_id, keys }) => [device_id, JSON.stringify(keys.keys)]));

function readKeys(value: JsonValue | undefined): NamedKey[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isGivenKey).map(({ user_id, device_id, key_id }) => ({
    userId: user_id,
    deviceId: device_id,
    keyId: key_id,
  }));
}

const isGivenKey = (value: JsonValue): value is GivenKey & JsonObject =>
  isJsonObject(value) &&
  typeof value.user_id === "string" &&
  typeof value.device_id === "string" &&
  typeof value.key_id === "string";
