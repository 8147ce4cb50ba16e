import { isJsonObject, type JsonObject } from "./json.ts";

/**
 * The property names of a dot-separated path: `content.m\.relates_to` is `content`, `m.relates_to`. A backslash
 * before anything but a dot or a backslash stands for itself.
 * @see https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths
 */
export function parsePropertyPath(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (let i = 0; i < path.length; i++) {
    const next = path[i + 1];
    if (path[i] === "\\" && (next === "." || next === "\\")) {
      name += next;
      i += 1;
    } else if (path[i] === ".") {
      names.push(name);
      name = "";
    } else {
      name += path[i];
    }
  }
  return [...names, name];
}

/**
 * A copy with only the properties that the paths lead to; what is kept is shared with the input.
 * @param paths - as `parsePropertyPath` gives them
 */
export function pickProperties(object: JsonObject, paths: readonly (readonly string[])[]): JsonObject {
  const picked: JsonObject = {};
  for (const path of paths) pick(object, path, picked);
  return picked;
}

function pick(from: JsonObject, path: readonly string[], to: JsonObject): void {
  const [name, ...rest] = path;
  if (name === undefined || !Object.hasOwn(from, name)) return;
  const value = from[name];
  if (rest.length === 0) {
    define(to, name, value);
  } else if (isJsonObject(value)) {
    const kept = Object.hasOwn(to, name) ? to[name] : undefined;
    if (kept === value) return; // a shorter path has taken it whole
    const child: JsonObject = isJsonObject(kept) ? kept : {};
    pick(value, rest, child);
    if (Object.keys(child).length > 0) define(to, name, child);
  }
}

/** An assignment to `__proto__` would set the prototype. */
function define(object: JsonObject, name: string, value: JsonObject[string]): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
