import { expect, test } from "vitest";
import { requestIdOf } from "../../src/sw/request-id.ts";
import { alice, guest } from "./support/node-double.ts";

const name = "0b9e3d0a-31a5-4c5e-9c0f-2f7d8f1f6a11";
const named = (header?: string, method = "POST") =>
  new Request("https://home.example/x", { method, headers: header ? { "X-Hearth-Request": header } : {} });

test("a request that comes again under its name has the same id", () => {
  expect(requestIdOf(named(name), "/x", alice)).toBe(requestIdOf(named(name), "/x", alice));
});

test.each([
  ["of another user", () => requestIdOf(named(name), "/x", guest)],
  ["without a login", () => requestIdOf(named(name), "/x", undefined)],
  ["to another endpoint", () => requestIdOf(named(name), "/y", alice)],
  ["by another method", () => requestIdOf(named(name, "PUT"), "/x", alice)],
])("the same name %s is another request", (_, other) => {
  expect(other()).not.toBe(requestIdOf(named(name), "/x", alice));
});

test.each([[undefined], ["1"], [`${name} `.repeat(2)]])(
  "without a proper name (%s) each request is new",
  (header) => {
    expect(requestIdOf(named(header), "/x", alice)).not.toBe(requestIdOf(named(header), "/x", alice));
  },
);
