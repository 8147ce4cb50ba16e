import { domainOf } from "../../../matrix/domain.ts";
import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import type { JsonValue } from "../../../matrix/json.ts";
import type { KeysForRemoteUsers } from "../../keys/api.ts";
import { KeyedLock } from "../../node/keyed-lock.ts";
import type { Storage, Write } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { Nid, RemoteDeviceListRow, RemoteDeviceRow } from "../../storage/schema.ts";
import type { CrossSigningUpdate, DeviceUpdate, UserKeysOfOthers } from "../edus/incoming/parts.ts";
import { fitOf } from "./fits.ts";
import { MOST_DEVICES, type ReadKeys, readCrossSigning, readDevice } from "./read-keys.ts";

export type RemoteListsOptions = {
  storage: Storage;
  keys: KeysForRemoteUsers;
  ed25519: Ed25519;
  /** Whether the user still shares a room with somebody here. */
  isShared: (userId: string) => Promise<boolean>;
};

/** Updates that are remembered, so that one that comes twice is known again; what is forgotten is asked for anew. */
const TAKEN_REMEMBERED = 10_000;

/** What was asked of a user's server. `isOld`: something has come since, which the answer may not have. */
export type Asked = { isOld: boolean };

/** All that belongs to a user. */
const rangeOf = (userId: string) => IDBKeyRange.bound([userId], [userId, []]);

/**
 * What is known of the devices and keys of users of other servers who share a room with somebody here: rows that their
 * servers have answered with, kept up to date by what those send. A list with a gap is stale until it has been asked for
 * anew, and nobody is shown it; the mark is on the disk with what made it so.
 */
export class RemoteLists implements UserKeysOfOthers {
  readonly #with: RemoteListsOptions;
  /** Rows of a user are compared and changed one after the other; no other server is waited for in it. */
  readonly #lock = new KeyedLock<string>();
  readonly #taken = new Lru<string, true>(TAKEN_REMEMBERED);
  readonly #asked = new Map<string, Set<Asked>>();
  readonly #staleListeners = new Set<(server: string) => void>();

  constructor(options: RemoteListsOptions) {
    this.#with = options;
  }

  /** Called when a list of a server has to be asked for. */
  onStale(call: (server: string) => void): void {
    this.#staleListeners.add(call);
  }

  /** What may be shown to somebody; undefined where the server has to be asked. */
  async known(userId: string): Promise<ReadKeys | undefined> {
    const { storage } = this.#with;
    const [row, devices] = await Promise.all([
      storage.get("remoteDeviceLists", userId),
      this.#devices(userId),
    ]);
    if (row === undefined || row.stale !== undefined) return undefined;
    const { master, selfSigning } = row;
    return { devices, ...(master && { master }), ...(selfSigning && { selfSigning }) };
  }

  async isKept(userId: string): Promise<boolean> {
    if (this.#asked.has(userId)) return true;
    return (await this.#with.storage.get("remoteDeviceLists", userId)) !== undefined;
  }

  /** To be called before a server is asked, and ended when its answer has been kept or has failed. */
  asking(userId: string): { asked: Asked; end: () => void } {
    const asked: Asked = { isOld: false };
    const all = this.#asked.get(userId) ?? new Set();
    this.#asked.set(userId, all.add(asked));
    const end = () => {
      all.delete(asked);
      if (all.size === 0 && this.#asked.get(userId) === all) this.#asked.delete(userId);
    };
    return { asked, end };
  }

  /**
   * Keeps what a server has answered, unless something has come from it since.
   * @param keys.streamId - absent: not said. Then it takes the place of nothing that is up to date.
   * @returns whether it was kept, or needs no keeping
   */
  keep(userId: string, keys: ReadKeys & { streamId?: number }, asked: Asked): Promise<boolean> {
    return this.#lock.run(userId, async () => {
      if (asked.isOld) return false;
      const { storage } = this.#with;
      const row = await storage.get("remoteDeviceLists", userId);
      if (keys.streamId === undefined && row !== undefined && row.stale === undefined) return true;
      if (!(await this.#with.isShared(userId))) return true;
      const [before, user] = await Promise.all([this.#devices(userId), storage.names.intern(userId)]);
      if (asked.isOld) return false;
      const { devices, streamId, master, selfSigning } = keys;
      const gone = [...before.keys()].filter((deviceId) => !devices.has(deviceId));
      const changed = [...devices].filter(([deviceId, device]) => !isSame(before.get(deviceId), device));
      const isSigning = row?.master !== master || row?.selfSigning !== selfSigning;
      await storage.commit((write) => {
        for (const deviceId of gone) write.delete("remoteDevices", [userId, deviceId]);
        for (const [deviceId, device] of changed) write.put("remoteDevices", device, [userId, deviceId]);
        write.put("remoteDeviceLists", {
          userId,
          ...(streamId !== undefined && { streamId }),
          ...(master !== undefined && { master }),
          ...(selfSigning !== undefined && { selfSigning }),
        });
        // Of a list that nobody has seen before, nobody has to be told.
        if (row === undefined) return;
        const deviceId = gone[0] ?? changed[0]?.[0];
        if (deviceId !== undefined) this.#tell(write, user, { what: "device", deviceId });
        else if (isSigning) this.#tell(write, user, { what: "signing" });
      });
      return true;
    });
  }

  /** Nothing is known of the user any more: nobody here shares a room with them, or there is no such user. */
  drop(userId: string): Promise<void> {
    return this.#lock.run(userId, async () => {
      this.#outdate(userId);
      await this.#with.storage.commit(
        (write) => {
          write.delete("remoteDeviceLists", userId);
          write.delete("remoteDevices", rangeOf(userId));
        },
        { relaxed: true },
      );
    });
  }

  deviceUpdated(userId: string, update: DeviceUpdate): Promise<void> {
    return this.#lock.run(userId, async () => {
      const { storage } = this.#with;
      const { deviceId, streamId } = update;
      const row = await storage.get("remoteDeviceLists", userId);
      const wasTaken = (id: number) => this.#taken.get(takenKey(userId, id)) !== undefined;
      const fit = row?.stale === undefined ? fitOf(row?.streamId, update, wasTaken) : "gap";
      if (fit === "known") return;
      this.#outdate(userId);
      const change = { what: "device", deviceId } as const;
      if (fit === "gap" || row === undefined) return this.#stale(userId, row, change);
      const device = await this.#read(userId, update);
      const user = await storage.names.intern(userId);
      await storage.commit((write) => {
        if (device === undefined) write.delete("remoteDevices", [userId, deviceId]);
        else write.put("remoteDevices", device, [userId, deviceId]);
        write.put("remoteDeviceLists", { ...row, streamId });
        this.#tell(write, user, change);
      });
      this.#taken.set(takenKey(userId, streamId), true);
    });
  }

  crossSigningUpdated(userId: string, update: CrossSigningUpdate): Promise<void> {
    return this.#lock.run(userId, async () => {
      const { storage, ed25519 } = this.#with;
      const row = await storage.get("remoteDeviceLists", userId);
      this.#outdate(userId);
      if (row === undefined || row.stale !== undefined) return this.#stale(userId, row, { what: "signing" });
      const keys = {
        master: update.master as JsonValue | undefined,
        selfSigning: update.selfSigning as JsonValue | undefined,
      };
      const read = await readCrossSigning(userId, keys, ed25519, row.master);
      const after: RemoteDeviceListRow = { ...row, ...read };
      // What a former master key has signed is signed by nobody now.
      if (read.master !== undefined && read.master !== row.master && read.selfSigning === undefined) {
        delete after.selfSigning;
      }
      if (after.master === row.master && after.selfSigning === row.selfSigning) return;
      const user = await storage.names.intern(userId);
      await storage.commit((write) => {
        write.put("remoteDeviceLists", after);
        this.#tell(write, user, { what: "signing" });
      });
    });
  }

  /** Marks a list that is kept, and tells those who may have seen what was before. */
  async #stale(
    userId: string,
    row: RemoteDeviceListRow | undefined,
    change: Parameters<KeysForRemoteUsers["tellChanged"]>[2],
  ): Promise<void> {
    const { storage } = this.#with;
    const user = await storage.names.intern(userId);
    const stale = domainOf(userId) ?? "";
    await storage.commit((write) => {
      if (row !== undefined && row.stale === undefined) write.put("remoteDeviceLists", { ...row, stale });
      this.#tell(write, user, change);
    });
    if (row !== undefined) for (const call of this.#staleListeners) call(stale);
  }

  /** @returns undefined for a device that is gone, or has no keys */
  async #read(userId: string, { deviceId, device }: DeviceUpdate): Promise<RemoteDeviceRow | undefined> {
    if (device === "deleted") return undefined;
    const row = readDevice(userId, deviceId, device.keys as JsonValue | undefined, device.displayName);
    if (row === undefined) return undefined;
    const kept = await this.#with.storage.getAllKeys("remoteDevices", rangeOf(userId), MOST_DEVICES);
    const hasRoom = kept.length < MOST_DEVICES || kept.some(([, id]) => id === deviceId);
    return hasRoom ? row : undefined;
  }

  async #devices(userId: string): Promise<Map<string, RemoteDeviceRow>> {
    const { storage } = this.#with;
    const [keys, rows] = await Promise.all([
      storage.getAllKeys("remoteDevices", rangeOf(userId)),
      storage.getAll("remoteDevices", rangeOf(userId)),
    ]);
    return new Map(keys.map(([, deviceId], i) => [deviceId, rows[i]!]));
  }

  /** Answers that are on their way may be from before what has come now. */
  #outdate(userId: string): void {
    for (const asked of this.#asked.get(userId) ?? []) asked.isOld = true;
  }

  #tell(write: Write, user: Nid, change: Parameters<KeysForRemoteUsers["tellChanged"]>[2]): void {
    this.#with.keys.tellChanged(write, user, change);
  }
}

const takenKey = (userId: string, streamId: number) => `${streamId} ${userId}`;

const isSame = (a: RemoteDeviceRow | undefined, b: RemoteDeviceRow) =>
  a !== undefined && a[0] === b[0] && a[1] === b[1];
