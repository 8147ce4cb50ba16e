/*
 * Paths of fixed segments and of parameters, and nothing else: what the client API has. Routers of the registry bring
 * constraints, wildcards and optional groups along, four kilobytes that each service worker would load.
 */

/** The routes that go on from one place: by segment, in a parameter's place, and those that end here, by method. */
export type RouteTree<T> = {
  fixed: Map<string, RouteTree<T>>;
  any: RouteTree<T> | undefined;
  ends: Map<string, { names: readonly string[]; data: T }>;
};

export type FoundRoute<T> = { data: T; params: readonly (readonly [name: string, text: string])[] };

export function emptyTree<T>(): RouteTree<T> {
  return { fixed: new Map(), any: undefined, ends: new Map() };
}

/** @param path - `/a/{b}/c`: a segment in braces is a parameter */
export function addRoute<T>(tree: RouteTree<T>, method: string, path: string, data: T): void {
  const names: string[] = [];
  let place = tree;
  for (const segment of segmentsOf(path)) {
    if (segment.startsWith("{")) {
      names.push(segment.slice(1, -1));
      place.any ??= emptyTree();
      place = place.any;
    } else {
      const next = place.fixed.get(segment) ?? emptyTree();
      place.fixed.set(segment, next);
      place = next;
    }
  }
  place.ends.set(method, { names, data });
}

/**
 * The route of a path; a fixed segment goes before a parameter, where it leads anywhere. Costs a look for each segment, and twice that for each place where a route that begins with the fixed one fails.
 * @param path - percent-encoded; the parameters are cut out of it as they are
 * @returns undefined where there is none
 */
export function findRoute<T>(tree: RouteTree<T>, method: string, path: string): FoundRoute<T> | undefined {
  return walk(tree, method, segmentsOf(path), 0, []);
}

/** With and without a slash at the end it is the same path, wherever it is described or asked for. */
const segmentsOf = (path: string) => (path.endsWith("/") ? path.slice(0, -1) : path).split("/");

function walk<T>(
  place: RouteTree<T>,
  method: string,
  segments: readonly string[],
  at: number,
  texts: readonly string[],
): FoundRoute<T> | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    const end = place.ends.get(method);
    return end && { data: end.data, params: end.names.map((name, i) => [name, texts[i]!] as const) };
  }
  const fixed = place.fixed.get(segment);
  const found = fixed && walk(fixed, method, segments, at + 1, texts);
  if (found !== undefined || place.any === undefined || segment === "") return found;
  return walk(place.any, method, segments, at + 1, [...texts, segment]);
}
