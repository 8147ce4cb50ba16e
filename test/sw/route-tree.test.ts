import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addRoute, emptyTree, findRoute } from "../../src/sw/route-tree.ts";

/** What a path's routes mean, one after the other: the one that has the first fixed segment where others have none. */
function plainly(routes: readonly string[], path: string): string | undefined {
  const segments = path.replace(/\/$/, "").split("/");
  const matching = routes.filter((route) => {
    const parts = route.split("/");
    return (
      parts.length === segments.length &&
      parts.every((part, i) => (part.startsWith("{") ? segments[i] !== "" : part === segments[i]))
    );
  });
  const shape = (route: string) => route.split("/").map((part) => (part.startsWith("{") ? "1" : "0"));
  return matching.sort((a, b) => (shape(a).join("") < shape(b).join("") ? -1 : 1))[0];
}

const segment = fc.constantFrom("a", "b", "c");
const parameter = fc.constantFrom("{x}", "{y}");
const route = fc
  .array(fc.oneof(segment, parameter), { minLength: 1, maxLength: 5 })
  .map((all) => `/${all.join("/")}`);
const shapeOf = (path: string) => path.replace(/\{\w\}/g, "{}");

describe("the tree of routes", () => {
  test("finds what going through all routes finds, whatever they have in common", () => {
    const paths = fc
      .array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 6 })
      .map((all) => `/${all.join("/")}`);
    fc.assert(
      fc.property(fc.uniqueArray(route, { selector: shapeOf, maxLength: 12 }), paths, (routes, path) => {
        const tree = emptyTree<string>();
        for (const one of routes) addRoute(tree, "GET", one, one);
        expect(findRoute(tree, "GET", path)?.data).toBe(plainly(routes, path));
      }),
    );
  });

  test("a slash at the end is neither here nor there", () => {
    const tree = emptyTree<string>();
    addRoute(tree, "GET", "/rules/", "all");
    addRoute(tree, "GET", "/rules/{id}", "one");
    expect(
      ["/rules", "/rules/", "/rules/a", "/rules/a/"].map((path) => findRoute(tree, "GET", path)?.data),
    ).toEqual(["all", "all", "one", "one"]);
    expect(findRoute(tree, "GET", "/rules//")).toBeUndefined();
  });

  test("parameters have the names of the route that was found, in the order of the path", () => {
    const tree = emptyTree<number>();
    addRoute(tree, "GET", "/r/{room}/s/{key}", 1);
    addRoute(tree, "PUT", "/r/{id}/{what}/{key}", 2);
    expect(findRoute(tree, "GET", "/r/1/s/k")).toEqual({
      data: 1,
      params: [
        ["room", "1"],
        ["key", "k"],
      ],
    });
    expect(findRoute(tree, "PUT", "/r/1/s/k")).toEqual({
      data: 2,
      params: [
        ["id", "1"],
        ["what", "s"],
        ["key", "k"],
      ],
    });
  });
});
