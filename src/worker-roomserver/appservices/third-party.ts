import { foundOf, mergedProtocol, protocolOf } from "../../matrix/appservices/third-party.ts";
import { notFound } from "../../matrix/errors.ts";
import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import { parseJsonText } from "../../matrix/json-text.ts";
import type { ThirdPartyKind } from "./api.ts";
import type { AppServiceClient } from "./client.ts";
import type { Registry } from "./registry.ts";
import type { Service } from "./service.ts";

const TIMEOUT_MS = 10_000;
const KEPT_MS = 60_000;
/** Matches in one answer. */
const MAX_FOUND = 1_000;
const naming = { user: "userid", location: "alias" } as const;

type Kept = { at: number; protocol: Promise<JsonObject | undefined> };

/** What services know of other networks. A service that does not answer in time knows nothing. */
export class ThirdParties {
  readonly #registry: Registry;
  readonly #client: AppServiceClient;
  readonly #now: () => number;
  /** By service and protocol: as many as registrations name. */
  readonly #protocols = new Map<string, Kept>();

  constructor(options: { registry: Registry; client: AppServiceClient; now: () => number }) {
    this.#registry = options.registry;
    this.#client = options.client;
    this.#now = options.now;
  }

  async protocols(): Promise<JsonObject> {
    const names = new Set(this.#registry.all().flatMap(({ registration }) => registration.protocols));
    const found = await Promise.all(
      [...names].map(async (name) => [name, await this.#protocol(name)] as const),
    );
    return Object.fromEntries(found.filter((entry): entry is [string, JsonObject] => entry[1] !== undefined));
  }

  async protocol(name: string): Promise<JsonObject> {
    const found = await this.#protocol(name);
    if (found === undefined) throw notFound("No application service here knows this protocol.");
    return found;
  }

  async lookup(
    kind: ThirdPartyKind,
    protocol: string,
    fields: Record<string, string>,
  ): Promise<JsonObject[]> {
    const services = this.#speaking(protocol);
    if (services.length === 0) throw notFound("No application service here knows this protocol.");
    const query = new URLSearchParams(fields).toString();
    const path = `/_matrix/app/v1/thirdparty/${kind}/${encodeURIComponent(protocol)}`;
    return this.#found(services, kind, query === "" ? path : `${path}?${query}`);
  }

  async reverseLookup(kind: ThirdPartyKind, id: string): Promise<JsonObject[]> {
    const services = this.#registry.interested(kind === "user" ? "users" : "aliases", id);
    const query = new URLSearchParams({ [naming[kind]]: id }).toString();
    const found = await this.#found(services, kind, `/_matrix/app/v1/thirdparty/${kind}?${query}`);
    if (found.length === 0)
      throw notFound("No application service here knows what this stands for elsewhere.");
    return found;
  }

  #speaking(protocol: string): Service[] {
    return this.#registry.all().filter(({ registration }) => registration.protocols.includes(protocol));
  }

  async #protocol(name: string): Promise<JsonObject | undefined> {
    const all = await Promise.all(this.#speaking(name).map((service) => this.#protocolOf(service, name)));
    return mergedProtocol(all.filter((protocol) => protocol !== undefined));
  }

  #protocolOf(service: Service, name: string): Promise<JsonObject | undefined> {
    const key = JSON.stringify([service.id, name]);
    const kept = this.#protocols.get(key);
    if (kept !== undefined && this.#now() - kept.at < KEPT_MS) return kept.protocol;
    const protocol = this.#ask(
      service,
      `/_matrix/app/v1/thirdparty/protocol/${encodeURIComponent(name)}`,
    ).then((said) => {
      const found = said === undefined ? undefined : protocolOf(said, service.id);
      // What failed is asked anew.
      if (found === undefined) this.#protocols.delete(key);
      return found;
    });
    this.#protocols.set(key, { at: this.#now(), protocol });
    return protocol;
  }

  async #found(services: readonly Service[], kind: ThirdPartyKind, path: string): Promise<JsonObject[]> {
    const answers = await Promise.all(services.map((service) => this.#ask(service, path)));
    const found = answers.flatMap((said) => (said === undefined ? [] : foundOf(said, naming[kind])));
    return found.slice(0, MAX_FOUND);
  }

  /** @returns undefined where there is no good answer */
  async #ask({ id, registration }: Service, path: string): Promise<JsonValue | undefined> {
    const { url, hsToken } = registration;
    if (url === null) return undefined;
    try {
      const { status, body } = await this.#client(
        { url, hsToken },
        { method: "GET", path, timeout: TIMEOUT_MS },
      );
      return status === 200 ? parseJsonText(body, { integersOnly: false }) : undefined;
    } catch (error) {
      console.warn(`hearth: ${id} has no answer to a third-party lookup`, error);
      return undefined;
    }
  }
}
