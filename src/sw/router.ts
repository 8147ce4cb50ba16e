import { addRoute, createRouter as createTree, findRoute } from "rou3";
import { unrecognized } from "../matrix/errors.ts";
import type { Endpoint, Method } from "./endpoint.ts";
import { percentDecode } from "./percent-decode.ts";

export type Match = { endpoint: Endpoint; params: Record<string, string> };

/**
 * Finds the endpoint of a request.
 * @param method - as the request has it, in capitals; HEAD is looked up as GET
 * @param path - percent-encoded, as `new URL(...).pathname` gives it, without the scope's prefix
 * @throws {MatrixError} M_UNRECOGNIZED, 404 for an unknown path and 405 for another method's;
 *   M_INVALID_PARAM (400) for a parameter with broken percent-encoding or a NUL
 */
export type Router = (method: string, path: string) => Match;

const methods: readonly Method[] = ["GET", "PUT", "POST", "DELETE"];
/** What came before, and is the same to clients: some call nothing else. */
const former: readonly (readonly [current: string, before: readonly string[]])[] = [
  ["/_matrix/client/v3/", ["/_matrix/client/r0/"]],
  ["/_matrix/media/v3/", ["/_matrix/media/r0/", "/_matrix/media/v1/"]],
];

/** @throws Error when two endpoints claim the same method and path: one of them would never be called */
export function createRouter(endpoints: readonly Endpoint[]): Router {
  const tree = createTree<Endpoint>();
  const taken = new Set<string>();
  for (const endpoint of endpoints) {
    const { method, path } = endpoint.description;
    const shape = `${method} ${path.replace(/\{\w+\}/g, "{}")}`;
    if (taken.has(shape)) throw new Error(`${method} ${path} is described twice`);
    taken.add(shape);
    for (const served of servedPaths(path)) addRoute(tree, method, pattern(served), endpoint);
  }
  return (method, path) => {
    const found = findRoute(tree, method === "HEAD" ? "GET" : method, path);
    if (found !== undefined) return { endpoint: found.data, params: decodeParams(found.params ?? {}) };
    if (methods.some((other) => findRoute(tree, other, path, { params: false }) !== undefined)) {
      throw unrecognized(`${method} is not a method of this endpoint.`, 405);
    }
    throw unrecognized("There is no such endpoint on this homeserver.");
  };
}

function servedPaths(path: string): string[] {
  const [current, before] = former.find(([prefix]) => path.startsWith(prefix)) ?? ["", []];
  return [path, ...before.map((prefix) => prefix + path.slice(current.length))];
}

const pattern = (path: string) => path.replace(/\{(\w+)\}/g, ":$1");

/** Decoded only after the path has been split, so that an encoded slash stays inside its parameter. */
function decodeParams(raw: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, text]) => [name, percentDecode(text, `"${name}"`)]),
  );
}
