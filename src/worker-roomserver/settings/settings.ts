import { KeyedLock } from "../node/keyed-lock.ts";
import { later } from "../node/later.ts";
import type { Storage } from "../storage/api.ts";
import type { Settings, SettingsForComponents, SettingsForOwner } from "./api.ts";
import { defaultSettings } from "./defaults.ts";

const checks = later(() => import("./check.ts"));

/** The settings' one row. */
const KEY = "settings";

/** The owner's settings: in memory, and of those that were ever made the last value in one row. */
export class StoredSettings implements SettingsForOwner, SettingsForComponents {
  readonly #storage: Storage;
  /** A change is made on what the one before it has left. */
  readonly #lock = new KeyedLock<"settings">();
  #made: Partial<Settings>;

  private constructor(storage: Storage, made: Partial<Settings>) {
    this.#storage = storage;
    this.#made = made;
  }

  static async open(storage: Storage): Promise<StoredSettings> {
    return new StoredSettings(storage, ((await storage.get("settings", KEY)) ?? {}) as Partial<Settings>);
  }

  get current(): Settings {
    return { ...defaultSettings, ...this.#made };
  }

  get(): Promise<Settings> {
    return Promise.resolve(this.current);
  }

  async set(change: Partial<Settings>): Promise<Settings> {
    const { checkSettings } = await checks();
    checkSettings(change);
    return this.#lock.run("settings", async () => {
      const made = { ...this.#made, ...change };
      await this.#storage.commit((write) => write.put("settings", made, KEY));
      this.#made = made;
      return this.current;
    });
  }
}
