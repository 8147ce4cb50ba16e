import type { NamespaceKind } from "../../matrix/appservices/namespaces.ts";
import { invalidParam, MatrixError } from "../../matrix/errors.ts";
import type { ServerName, UserId } from "../../matrix/identifiers.ts";
import { later } from "../node/later.ts";
import type { Storage } from "../storage/api.ts";
import type { AppServiceRow } from "../storage/schema.ts";
import type { AppServiceIdentity } from "./api.ts";
import { readerName } from "./reader-name.ts";
import type { Service } from "./service.ts";

const services = later(() => import("./service.ts"));

/** All that one has to be told before the services are asked is here in memory: there are a few of them. */
const MAX_SERVICES = 100;

/** The registered services. Most homeservers have none: what they are made of is loaded with the first. */
export class Registry {
  readonly #storage: Storage;
  readonly #serverName: ServerName;
  readonly #services = new Map<string, Service>();

  private constructor(storage: Storage, serverName: ServerName) {
    this.#storage = storage;
    this.#serverName = serverName;
  }

  /** One range of a row for each service. */
  static async open(storage: Storage, serverName: ServerName): Promise<Registry> {
    const registry = new Registry(storage, serverName);
    for (const row of await storage.getAll("appServices")) {
      const service = await registry.#made(row);
      registry.#services.set(service.id, service);
    }
    return registry;
  }

  all(): Service[] {
    return [...this.#services.values()];
  }

  get(id: string): Service | undefined {
    return this.#services.get(id);
  }

  /**
   * One addition after the other: the caller has a lock.
   * @param makeSender - sees to it that the sender has an account
   * @throws MatrixError M_INVALID_PARAM 400 where the id or the token is another service's, M_EXCLUSIVE where its sender is
   */
  async add(
    row: Omit<AppServiceRow, "since">,
    makeSender: (userId: UserId) => Promise<void>,
  ): Promise<Service> {
    const { id, sender } = await this.#made({ ...row, since: 0 });
    if (this.#services.size >= MAX_SERVICES)
      throw invalidParam(`There are ${MAX_SERVICES} services already.`);
    if (this.#services.has(id)) throw invalidParam(`There is a service ${JSON.stringify(id)} already.`);
    if (this.identify(row.tokenHash) !== undefined) throw invalidParam('"as_token" is another service\'s.');
    this.checkFree("users", sender, undefined);
    await makeSender(sender);
    const whole = { ...row, since: this.#storage.position };
    await this.#storage.commit((write) => {
      write.put("appServices", whole, id);
      write.put("readers", whole.since, readerName(id));
    });
    const service = await this.#made(whole);
    this.#services.set(id, service);
    return service;
  }

  /** The service is sent nothing any more: the caller has seen to that. */
  async remove(id: string): Promise<void> {
    const service = this.#services.get(id);
    if (service === undefined) return;
    const rooms = IDBKeyRange.bound([id], [id, []]);
    // First in memory: whoever is told by the log asks here what has become of the token.
    this.#services.delete(id);
    try {
      await this.#storage.commit((write) => {
        write.delete("appServices", id);
        write.delete("appServiceSending", id);
        write.delete("appServiceRooms", rooms);
        write.delete("readers", readerName(id));
        write.append({ topic: "session" });
      });
    } catch (error) {
      this.#services.set(id, service);
      throw error;
    }
  }

  identify(tokenHash: string): AppServiceIdentity | undefined {
    for (const { id, tokenHash: own, sender, registration } of this.#services.values()) {
      if (own === tokenHash) return { id, sender, rateLimited: registration.rateLimited };
    }
    return undefined;
  }

  covers(service: string, kind: NamespaceKind, id: string): boolean {
    return this.#services.get(service)?.match(kind, id).all ?? false;
  }

  /** Those that are interested in an id of this kind. */
  interested(kind: NamespaceKind, id: string): Service[] {
    return this.all().filter((service) => service.match(kind, id).all);
  }

  /** @throws MatrixError M_EXCLUSIVE 400 */
  checkFree(kind: NamespaceKind, id: string, service: string | undefined): void {
    if (service !== undefined && !this.covers(service, kind, id)) {
      throw exclusive(`${id} is outside of the namespaces of this application service.`);
    }
    for (const other of this.#services.values()) {
      if (other.id !== service && other.match(kind, id).exclusive) {
        throw exclusive(`${id} is reserved for an application service.`);
      }
    }
  }

  async #made(row: AppServiceRow): Promise<Service> {
    const { Service } = await services();
    return new Service(row, this.#serverName);
  }
}

export const exclusive = (why: string) => new MatrixError("M_EXCLUSIVE", 400, why);
