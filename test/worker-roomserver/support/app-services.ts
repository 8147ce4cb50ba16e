import type { AppServiceNamespaces } from "../../../src/worker-roomserver/appservices/api.ts";

/** A homeserver without application services. */
export const noAppServices: AppServiceNamespaces = {
  identify: () => undefined,
  covers: () => false,
  checkFree: () => undefined,
  findUser: async () => undefined,
  findRoom: async () => undefined,
};
