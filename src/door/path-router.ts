import { addRoute, createRouter as createTree, findRoute } from "rou3";
import { unrecognized } from "../matrix/errors.ts";
import { percentDecode } from "./percent-decode.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

/** `path` has `{name}` for each parameter. `before`: other paths that are the same to who asks. */
export type Route<T> = { method: Method; path: string; before?: readonly string[]; target: T };

export type Found<T> = { target: T; params: Record<string, string> };

const methods: readonly Method[] = ["GET", "PUT", "POST", "DELETE"];

/**
 * Finds what a request is for.
 * @returns `find(method, path)`: the method as the request has it, in capitals, HEAD is looked up as GET; the path
 *   percent-encoded, as `new URL(...).pathname` gives it. It throws a MatrixError: M_UNRECOGNIZED, 404 for an unknown
 *   path and 405 for another method's; M_INVALID_PARAM (400) for a parameter with broken percent-encoding or a NUL
 * @throws Error when two routes claim the same method and path: one of them would never be found
 */
export function createPathRouter<T>(routes: readonly Route<T>[]): (method: string, path: string) => Found<T> {
  const tree = createTree<T>();
  const taken = new Set<string>();
  for (const { method, path, before = [], target } of routes) {
    const shape = `${method} ${path.replace(/\{\w+\}/g, "{}")}`;
    if (taken.has(shape)) throw new Error(`${method} ${path} is described twice`);
    taken.add(shape);
    for (const served of [path, ...before]) addRoute(tree, method, pattern(served), target);
  }
  return (method, path) => {
    const found = findRoute(tree, method === "HEAD" ? "GET" : method, path);
    if (found !== undefined) return { target: found.data, params: decodeParams(found.params ?? {}) };
    if (methods.some((other) => findRoute(tree, other, path, { params: false }) !== undefined)) {
      throw unrecognized(`${method} is not a method of this endpoint.`, 405);
    }
    throw unrecognized("There is no such endpoint on this homeserver.");
  };
}

const pattern = (path: string) => path.replace(/\{(\w+)\}/g, ":$1");

/** Decoded only after the path has been split, so that an encoded slash stays inside its parameter. */
function decodeParams(raw: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, text]) => [name, percentDecode(text, `"${name}"`)]),
  );
}
