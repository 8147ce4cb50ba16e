import type { ServerName } from "../../matrix/identifiers.ts";
import type { Egress } from "../egress/api.ts";
import { later, lazily, once } from "../node/later.ts";
import type { Storage } from "../storage/api.ts";
import type { AppServiceNamespaces, AppServices } from "./api.ts";
import type { AppServicesOptions, StoredAppServices } from "./app-services.ts";
import type { AppServiceClient } from "./client.ts";
import { Queries } from "./queries.ts";
import { Registry } from "./registry.ts";

const httpClients = later(() => import("./http-client.ts"));

/** Services by HTTP. Loaded when one is first reached. */
export function clientOf(egress: Egress): AppServiceClient {
  return async (service, call) => (await httpClients()).clientOf(egress)(service, call);
}

const code = later(() => import("./app-services.ts"));

/** What services have said is theirs, for accounts and rooms, which are there before anything is sent to services. */
export async function openNamespaces(
  storage: Storage,
  serverName: ServerName,
  client: AppServiceClient,
): Promise<{ registry: Registry; namespaces: AppServiceNamespaces }> {
  const registry = await Registry.open(storage, serverName);
  const queries = new Queries(registry, client);
  return {
    registry,
    namespaces: {
      identify: (tokenHash) => registry.identify(tokenHash),
      covers: (service, kind, id) => registry.covers(service, kind, id),
      checkFree: (kind, id, service) => registry.checkFree(kind, id, service),
      findUser: (userId) => queries.find("users", userId),
      findRoom: (alias) => queries.find("aliases", alias),
    },
  };
}

/** Puts the component together when it is first called, or at once where there are services to be told of something. */
export function openAppServices(options: AppServicesOptions): AppServices & { close(): void } {
  let opened: StoredAppServices | undefined;
  let isClosed = false;
  const whole = once(async () => {
    opened = new (await code()).StoredAppServices(options);
    if (isClosed) opened.close();
    return opened;
  });
  if (options.registry.all().length > 0) {
    const started = whole().then((services) => services.start());
    started.catch((error: unknown) => {
      console.error("hearth: application services are not told of anything until the next start", error);
    });
  }
  return lazily<AppServices, { close(): void }>(whole, {
    close: () => {
      isClosed = true;
      opened?.close();
    },
  });
}
