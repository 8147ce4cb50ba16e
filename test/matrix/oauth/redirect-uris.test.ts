import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  httpsHost,
  isRegisteredRedirectUri,
  isValidRedirectUri,
} from "../../../src/matrix/oauth/redirect-uris.ts";

// The first ones of each kind are the examples of https://spec.matrix.org/v1.19/client-server-api/#redirect-uri-validation
describe("a redirect URI of a client of https://example.com/", () => {
  test.each<[uri: string, web: boolean, native: boolean]>([
    ["https://example.com/callback", true, true],
    ["https://app.example.com/callback", true, true],
    ["https://example.com:5173/?query=value", true, true],
    ["https://example.com/callback#fragment", false, false],
    ["http://example.com/callback", false, false],
    ["http://localhost/", false, true],
    ["com.example.app:/callback", false, true],
    ["com.example:/", false, true],
    ["com.example:callback", false, true],
    ["http://localhost/callback", false, true],
    ["http://127.0.0.1/callback", false, true],
    ["http://[::1]/callback", false, true],
    ["example:/callback", false, false],
    ["com.example.app://callback", false, false],
    ["https://localhost/callback", false, false],
    ["http://localhost:1234/callback", false, false],
    ["https://example.com/callback#", false, false],
    ["https://user@example.com/callback", false, false],
    ["https://@example.com/callback", false, false],
    ["https://:@example.com/", false, false],
    ["https://badexample.com/callback", false, false],
    ["https://example.com.evil.org/callback", false, false],
    ["https://example.com\\@evil.org/", false, false],
    ["https://example.com\n.evil.org/", false, false],
    ["https://evil.org/?https://example.com/", false, false],
    ["http://localhost:80/callback", false, false],
    ["http://localhost:/callback", false, false],
    ["http://user@localhost/callback", false, false],
    ["http://localhost.evil.org/", false, false],
    ["http://127.0.0.2/", false, false],
    ["com.examples:/callback", false, false],
    ["com:/callback", false, false],
    ["javascript:alert(1)", false, false],
    ["data:text/html,x", false, false],
    ["", false, false],
    [`https://example.com/${"x".repeat(2048)}`, false, false],
  ])("%s", (uri, web, native) => {
    expect(isValidRedirectUri(uri, "web", "example.com")).toBe(web);
    expect(isValidRedirectUri(uri, "native", "example.com")).toBe(native);
  });

  test("a scheme of a host of one label belongs to nobody", () => {
    expect(isValidRedirectUri("com.example:/", "native", "com")).toBe(false);
  });
});

describe("a redirect URI that was registered", () => {
  const registered = [
    "https://example.com/a?x=1",
    "http://localhost/callback",
    "http://[::1]",
    "com.example:/",
  ];

  test.each<[uri: string, is: boolean]>([
    ["https://example.com/a?x=1", true],
    ["https://example.com/a?x=1&y=2", false],
    ["https://example.com:443/a?x=1", false],
    ["http://localhost/callback", true],
    ["http://localhost:1234/callback", true],
    ["http://localhost:1234/other", false],
    ["http://localhost:1234/callback?x=1", false],
    ["http://localhost:1234/callback#x", false],
    ["http://127.0.0.1:1234/callback", false],
    ["http://localhost:99999/callback", false],
    ["http://localhost:1234@evil.org/callback", false],
    ["http://[::1]:8080/", true],
    ["com.example:/", true],
    ["com.example:/x", false],
  ])("%s: %s", (uri, is) => expect(isRegisteredRedirectUri(uri, registered)).toBe(is));

  test("takes any port, and nothing else, for what is on the loopback interface", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(port, (port) => {
        expect(isRegisteredRedirectUri(`http://localhost:${port}/callback`, registered)).toBe(true);
        expect(isRegisteredRedirectUri(`https://localhost:${port}/callback`, registered)).toBe(false);
      }),
    );
  });
});

test.each<[uri: string, host: string | undefined]>([
  ["https://Example.com:444/x", "example.com"],
  ["HTTPS://example.com", "example.com"],
  ["http://example.com", undefined],
  ["https:example.com", undefined],
  ["https://a:b@example.com", undefined],
  ["not a URI", undefined],
])("the host of %s", (uri, host) => expect(httpsHost(uri)).toBe(host));
