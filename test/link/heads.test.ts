import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/link/frames.ts";
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
} from "../../src/link/heads.ts";

const head: RequestHead = { method: "GET", target: "/a", headers: [], hasBody: false };

describe("heads", () => {
  test("come out as they went in", () => {
    const value = fc.string({ unit: "grapheme" }).filter((text) => !/[\0\r\n]/.test(text));
    const headers = fc.array(fc.tuple(fc.constantFrom("x-a", "accept", "set-cookie"), value), {
      maxLength: 5,
    });
    const targets = fc.constantFrom(
      "/",
      "/a?b=%20",
      "/_matrix/x/!r:h/$e",
      "https://h:1/p?q",
      "matrix://h.example/x",
    );
    fc.assert(
      fc.property(
        targets,
        headers,
        fc.boolean(),
        fc.integer({ min: 200, max: 599 }),
        (target, list, hasBody, status) => {
          const request = { method: "PUT", target, headers: list, hasBody };
          expect(decodeRequestHead(encodeRequestHead(request))).toEqual(request);
          const response = { status, headers: list, hasBody };
          expect(decodeResponseHead(encodeResponseHead(response))).toEqual(response);
        },
      ),
    );
  });

  test("headers of one connection do not cross", () => {
    const headers = [
      ["connection", "close"],
      ["x-kept", "1"],
      ["transfer-encoding", "chunked"],
    ] as const;
    expect(decodeRequestHead(encodeRequestHead({ ...head, headers })).headers).toEqual([["x-kept", "1"]]);
  });

  test.each<[what: string, change: Partial<RequestHead>]>([
    ["a second request behind the target", { target: "/a HTTP/1.1\r\nx: y" }],
    ["a space in the target", { target: "/a b" }],
    ["a target without a slash", { target: "a" }],
    ["a path that names a host", { target: "//evil.example/" }],
    ["a fragment", { target: "/a#b" }],
    ["a method of two words", { method: "GET /" }],
    ["an empty method", { method: "" }],
    ["a line break in a header", { headers: [["a", "b\r\nc: d"]] }],
    ["a colon in a header's name", { headers: [["a:", "b"]] }],
    ["a header's name in capitals", { headers: [["Host", "b"]] }],
    ["too many headers", { headers: Array.from({ length: 257 }, () => ["a", "b"] as const) }],
    ["more than a frame holds", { headers: [["a", "b".repeat(70_000)]] }],
  ])("%s is refused", (_, change) => {
    expect(() => encodeRequestHead({ ...head, ...change })).toThrow(TypeError);
  });

  test.each<[what: string, json: unknown]>([
    ["an object", {}],
    ["too few members", ["GET", "/"]],
    ["headers that are none", ["GET", "/", [["a"]], 0]],
    ["a number for a method", [1, "/", [], 0]],
    ["a smuggled line", ["GET", "/", [["a", "b\nc"]], 0]],
  ])("a peer's head that is %s breaks the protocol", (_, json) => {
    expect(() => decodeRequestHead(new TextEncoder().encode(JSON.stringify(json)))).toThrow(ProtocolError);
  });

  test.each([[100], [199], [600], [200.5], ["200"]])("no answer has the status %s", (status) => {
    const payload = new TextEncoder().encode(JSON.stringify([status, [], 0]));
    expect(() => decodeResponseHead(payload)).toThrow(ProtocolError);
  });
});
