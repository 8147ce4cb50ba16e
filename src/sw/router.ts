import { createPathRouter, type Found } from "../door/path-router.ts";
import type { Endpoint } from "./endpoint.ts";

/** Finds the endpoint of a request, by its path without the scope's prefix: see `createPathRouter`. */
export type Router = (method: string, path: string) => Found<Endpoint>;

/** What came before, and is the same to clients: some call nothing else. */
const former: readonly (readonly [current: string, before: readonly string[]])[] = [
  ["/_matrix/client/v3/", ["/_matrix/client/r0/"]],
  ["/_matrix/media/v3/", ["/_matrix/media/r0/", "/_matrix/media/v1/"]],
];

export function createRouter(endpoints: readonly Endpoint[]): Router {
  return createPathRouter(
    endpoints.map((endpoint) => {
      const { method, path } = endpoint.description;
      return { method, path, before: formerPaths(path), target: endpoint };
    }),
  );
}

function formerPaths(path: string): string[] {
  const [current, before] = former.find(([prefix]) => path.startsWith(prefix)) ?? ["", []];
  return before.map((prefix) => prefix + path.slice(current.length));
}
