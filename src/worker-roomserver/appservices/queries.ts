import type { NamespaceKind } from "../../matrix/appservices/namespaces.ts";
import type { AppServiceClient } from "./client.ts";
import type { Registry } from "./registry.ts";
import type { Service } from "./service.ts";

/** Somebody waits for it: a service that has to ask another network may need some seconds. */
const TIMEOUT_MS = 10_000;
const paths = { users: "users", aliases: "rooms" } as const;

/** Asks services for users and rooms that are not here yet, each only once at a time. */
export class Queries {
  readonly #registry: Registry;
  readonly #client: AppServiceClient;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(registry: Registry, client: AppServiceClient) {
    this.#registry = registry;
    this.#client = client;
  }

  /** Resolves when one of the services has said that it has made it, or none has. */
  find(kind: Exclude<NamespaceKind, "rooms">, id: string): Promise<void> {
    const same = this.#underWay.get(id);
    if (same !== undefined) return same;
    const services = this.#registry
      .interested(kind, id)
      .filter(({ registration }) => registration.url !== null);
    if (services.length === 0) return Promise.resolve();
    const path = `/_matrix/app/v1/${paths[kind]}/${encodeURIComponent(id)}`;
    const asked = this.#anyHas(services, path).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, asked);
    return asked;
  }

  async #anyHas(services: readonly Service[], path: string): Promise<void> {
    for (const { id, registration } of services) {
      const { url, hsToken } = registration;
      if (url === null) continue;
      try {
        const { status } = await this.#client({ url, hsToken }, { method: "GET", path, timeout: TIMEOUT_MS });
        if (status === 200) return;
      } catch (error) {
        console.warn(`hearth: ${id} did not say whether it has ${path}`, error);
      }
    }
  }
}
