import { forbidden, notFound } from "../../matrix/errors.ts";
import type { ServerName, UserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import { later, once } from "../node/later.ts";
import type { Requester } from "../node/requester.ts";
import { hashToken } from "../users/tokens.ts";
import type { AppServiceStatus, AppServices, ThirdPartyKind } from "./api.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";
import { ping, serviceOf } from "./ping.ts";
import type { Registry } from "./registry.ts";
import type { Service } from "./service.ts";
import type { ThirdParties } from "./third-party.ts";

export type AppServicesOptions = DeliveryOptions & {
  registry: Registry;
  serverName: ServerName;
  /**
   * Sees to it that the sender of a service has an account.
   * @throws MatrixError M_USER_IN_USE 400 where it is somebody else's
   */
  makeSender: (userId: UserId) => Promise<void>;
  /** @throws MatrixError M_NOT_FOUND 404 for a room that is not known here */
  requireRoom: (roomId: string) => Promise<unknown>;
};

const registrationFiles = later(() => import("./registration-file.ts"));
const deliveries = later(() => import("./delivery.ts"));
const lookups = later(() => import("./third-party.ts"));

/** The registered services, and what each is sent. */
export class StoredAppServices implements AppServices {
  readonly #with: AppServicesOptions;
  readonly #registry: Registry;
  #thirdParties!: () => Promise<ThirdParties>;
  readonly #deliveries = new Map<string, Delivery>();
  /** Services are added and removed one after the other. */
  readonly #lock = new KeyedLock<"services">();
  #isClosed = false;

  constructor(options: AppServicesOptions) {
    this.#with = options;
    this.#registry = options.registry;
    this.#forget();
  }

  /** Begins to send what is left to be sent. */
  async start(): Promise<void> {
    await Promise.all(this.#registry.all().map((service) => this.#deliver(service)));
  }

  add(yaml: string): Promise<AppServiceStatus> {
    const { serverName, makeSender } = this.#with;
    return this.#lock.run("services", async () => {
      const { readRegistrationFile } = await registrationFiles();
      const { asToken, ...kept } = readRegistrationFile(yaml, serverName);
      const row = { json: JSON.stringify(kept), tokenHash: await hashToken(asToken) };
      const service = await this.#registry.add(row, makeSender);
      this.#forget();
      await this.#deliver(service);
      return this.#status(service);
    });
  }

  list(): Promise<AppServiceStatus[]> {
    return Promise.all(this.#registry.all().map((service) => this.#status(service)));
  }

  remove(id: string): Promise<void> {
    return this.#lock.run("services", async () => {
      this.#deliveries.get(id)?.stop();
      this.#deliveries.delete(id);
      await this.#registry.remove(id);
      this.#forget();
    });
  }

  async ping(
    requester: Requester,
    id: string,
    transactionId: string | undefined,
  ): Promise<{ duration_ms: number }> {
    const service = serviceOf(this.#registry, requester);
    if (service.id !== id) throw forbidden("This is another application service's ID.");
    return this.#ping(service, transactionId);
  }

  async pingById(id: string): Promise<{ duration_ms: number }> {
    const service = this.#registry.get(id);
    if (service === undefined) throw notFound("There is no such application service.");
    return this.#ping(service, undefined);
  }

  async setNetworkVisibility(
    requester: Requester,
    {
      networkId,
      roomId,
      visibility,
    }: { networkId: string; roomId: string; visibility: "public" | "private" },
  ): Promise<void> {
    const { storage, requireRoom } = this.#with;
    const { id } = serviceOf(this.#registry, requester);
    await requireRoom(roomId);
    const room = await storage.names.intern(roomId);
    await storage.commit((write) => {
      if (visibility === "public") write.put("appServiceRooms", 1, [id, networkId, room]);
      else write.delete("appServiceRooms", [id, networkId, room]);
    });
  }

  async protocols(): Promise<JsonObject> {
    return (await this.#thirdParties()).protocols();
  }

  async protocol(name: string): Promise<JsonObject> {
    return (await this.#thirdParties()).protocol(name);
  }

  async lookup(
    kind: ThirdPartyKind,
    protocol: string,
    fields: Record<string, string>,
  ): Promise<JsonObject[]> {
    return (await this.#thirdParties()).lookup(kind, protocol, fields);
  }

  async reverseLookup(kind: ThirdPartyKind, id: string): Promise<JsonObject[]> {
    return (await this.#thirdParties()).reverseLookup(kind, id);
  }

  close(): void {
    this.#isClosed = true;
    for (const delivery of this.#deliveries.values()) delivery.stop();
  }

  /** What was known of other networks is not any more: services have come or gone. */
  #forget(): void {
    this.#thirdParties = once(async () => {
      const { ThirdParties } = await lookups();
      return new ThirdParties(this.#with);
    });
  }

  async #ping(service: Service, transactionId: string | undefined): Promise<{ duration_ms: number }> {
    const duration_ms = await ping(service, transactionId, this.#with);
    this.#deliveries.get(service.id)?.retryNow();
    return { duration_ms };
  }

  async #deliver(service: Service): Promise<void> {
    const { url } = service.registration;
    if (url === null) return;
    const { Delivery } = await deliveries();
    if (!this.#isClosed) this.#deliveries.set(service.id, new Delivery(this.#with, service, url));
  }

  async #status(service: Service): Promise<AppServiceStatus> {
    const { hsToken: _, ...shown } = service.registration;
    const sending = await this.#with.storage.get("appServiceSending", service.id);
    const isFailing = sending !== undefined && sending.failures > 0;
    const failing = isFailing ? { failures: sending.failures, retryAt: sending.retryAt } : null;
    const lastError = this.#deliveries.get(service.id)?.lastError ?? "";
    return { ...shown, sender: service.sender, failing, lastError };
  }
}
