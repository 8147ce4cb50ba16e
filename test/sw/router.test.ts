import { describe, expect, test } from "vitest";
import type { Method } from "../../src/door/path-router.ts";
import { jsonObject } from "../../src/door/schemas.ts";
import { type Endpoint, endpoint } from "../../src/sw/endpoint.ts";
import { createRouter } from "../../src/sw/router.ts";

const at = (method: Method, path: `/${string}`): Endpoint =>
  endpoint({ method, path, auth: "none", limit: "none", response: jsonObject }, async () => ({}));

const route = createRouter([
  at("GET", "/_matrix/client/versions"),
  at("GET", "/_matrix/client/v3/rooms/{roomId}/state/{eventType}"),
  at("PUT", "/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}"),
  at("GET", "/_matrix/client/v3/profile/{userId}"),
  at("GET", "/_matrix/client/v3/profile/{userId}/displayname"),
  at("DELETE", "/_matrix/client/v3/profile/{userId}/{keyName}"),
]);

describe("routes", () => {
  test.each([
    ["a parameter", "GET", "/_matrix/client/v3/profile/@a:b", { userId: "@a:b" }],
    ["an encoded slash stays inside", "GET", "/_matrix/client/v3/profile/a%2Fb", { userId: "a/b" }],
    ["an encoded percent is decoded once", "GET", "/_matrix/client/v3/profile/%252F", { userId: "%2F" }],
    ["UTF-8", "GET", "/_matrix/client/v3/profile/%C3%A9", { userId: "é" }],
    ["a plus is a plus", "GET", "/_matrix/client/v3/profile/a+b", { userId: "a+b" }],
    ["r0 for v3", "GET", "/_matrix/client/r0/profile/@a:b", { userId: "@a:b" }],
    ["HEAD as GET", "HEAD", "/_matrix/client/v3/profile/@a:b", { userId: "@a:b" }],
    [
      "an empty state key with its slash",
      "GET",
      "/_matrix/client/v3/rooms/!r/state/t/",
      { roomId: "!r", eventType: "t" },
    ],
    ["and without", "GET", "/_matrix/client/v3/rooms/!r/state/t", { roomId: "!r", eventType: "t" }],
    ["a fixed name before a parameter", "GET", "/_matrix/client/v3/profile/u/displayname", { userId: "u" }],
    [
      "the parameter where the fixed name lacks the method",
      "DELETE",
      "/_matrix/client/v3/profile/u/displayname",
      { userId: "u", keyName: "displayname" },
    ],
    [
      "a parameter named like a property of objects",
      "DELETE",
      "/_matrix/client/v3/profile/u/__proto__",
      { userId: "u", keyName: "__proto__" },
    ],
  ])("%s", (_, method, path, params) => {
    expect(route(method, path).params).toEqual(params);
  });

  test.each([
    ["unknown path", "GET", "/_matrix/client/v3/nothing", 404, "M_UNRECOGNIZED"],
    ["no parameter", "GET", "/_matrix/client/v3/profile", 404, "M_UNRECOGNIZED"],
    ["an empty parameter", "GET", "/_matrix/client/v3/profile//displayname", 404, "M_UNRECOGNIZED"],
    ["r0 of what was never in it", "GET", "/_matrix/client/r0/versions", 404, "M_UNRECOGNIZED"],
    ["another method", "POST", "/_matrix/client/versions", 405, "M_UNRECOGNIZED"],
    ["a method that nobody has", "PATCH", "/_matrix/client/v3/profile/u", 405, "M_UNRECOGNIZED"],
    ["HEAD of what has no GET", "HEAD", "/_matrix/client/v3/rooms/!r/state/t/k", 405, "M_UNRECOGNIZED"],
    ["a lone percent sign", "GET", "/_matrix/client/v3/profile/%", 400, "M_INVALID_PARAM"],
    ["half an escape", "GET", "/_matrix/client/v3/profile/%4", 400, "M_INVALID_PARAM"],
    ["bytes that are not UTF-8", "GET", "/_matrix/client/v3/profile/%ff", 400, "M_INVALID_PARAM"],
    ["half a surrogate pair", "GET", "/_matrix/client/v3/profile/%ED%A0%80", 400, "M_INVALID_PARAM"],
    ["NUL", "GET", "/_matrix/client/v3/profile/a%00b", 400, "M_INVALID_PARAM"],
  ])("%s is refused", (_, method, path, status, errcode) => {
    expect(() => route(method, path)).toThrowError(expect.objectContaining({ status, errcode }));
  });

  test("two endpoints cannot have one method and path, whatever their parameters are called", () => {
    expect(() => createRouter([at("GET", "/a/{x}"), at("GET", "/a/{y}")])).toThrow("twice");
  });
});
