import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import { isServerAllowed } from "../../src/matrix/server-acl.ts";

/**
 * Names, patterns and verdicts as in the tests of other homeservers: Synapse `ServerACLsTestCase`
 * (tests/federation/test_federation_server.py), Dendrite roomserver/acls/acls_test.go, and ruma
 * crates/ruma-events/src/room/server_acl.rs.
 */
const known: [content: JsonObject, allowed: string[], denied: string[]][] = [
  [
    { allow: ["*"], deny: ["evil.com"] },
    ["evil.com.au", "honestly.not.evil.com"],
    ["evil.com", "EVIL.COM", "evil.com:8448"],
  ],
  [
    { allow_ip_literals: false, allow: ["*"] },
    ["1a.2.3.4", "1:2:3:4"],
    ["1.2.3.4", "1.2.3.4:2345", "[1:2::]", "[1:2::]:8448"],
  ],
  [{ allow: ["good*.com"] }, ["good.com", "GOOD.COM", "good.aa.com"], ["ishgood.com"]],
  [
    { allow_ip_literals: true, allow: ["*"], deny: ["foo.com"] },
    ["1.2.3.4", "1.2.3.4:2345", "bar.com", "bar.com:4567"],
    ["foo.com", "foo.com:3456"],
  ],
  [
    { allow_ip_literals: false, allow: ["foo.com"], deny: [] },
    ["foo.com", "foo.com:3456"],
    ["1.2.3.4", "1.2.3.4:2345", "bar.com", "baz.com", "qux.com:4567"],
  ],
  [
    { allow_ip_literals: false, allow: ["*"], deny: ["hello.world", "*.hello.world"] },
    ["othello.world"],
    ["hello.world", "matrix.hello.world"],
  ],
  [{ allow: ["*"], deny: ["1.1.1.1"] }, ["1.1.1.2"], ["1.1.1.1:8000"]],
  [{ allow: ["matrix??.org"] }, ["matrix02.org"], ["matrix1.org", "matrix.org", "matrix123.org"]],
  [
    { allow: ["[2001:db8:1234::1]"] },
    ["[2001:db8:1234::1]", "[2001:DB8:1234::1]:8448"],
    ["[2001:db8:1234::2]"],
  ],
  [{ allow: ["good.ServEr"], deny: ["bad.ServeR"] }, ["GOOD.SERVER", "good.server"], ["bAd.server"]],
];

describe.each(known)("%j", (content, allowed, denied) => {
  test.each(allowed)("allows %s", (name) => expect(isServerAllowed(content, name)).toBe(true));
  test.each(denied)("denies %s", (name) => expect(isServerAllowed(content, name)).toBe(false));
});

test.each<[what: string, content: JsonObject, allowed: boolean]>([
  ["no lists", {}, false],
  ["no allow list", { deny: ["evil.example"] }, false],
  ["an allow list that is none", { allow: "*" }, false],
  ["an allow list of other things", { allow: [1, null, {}, ["*"]] }, false],
  ["other things beside a pattern", { allow: [1, "*"] }, true],
  ["a deny list that is none", { allow: ["*"], deny: "*" }, true],
  ["the same in both lists", { allow: ["a.example"], deny: ["a.example"] }, false],
])("content with %s", (_, content, allowed) => expect(isServerAllowed(content, "a.example")).toBe(allowed));

test.each<[allowIpLiterals: JsonValue, allowed: boolean]>([
  [true, true],
  [false, false],
  [null, true],
  ["false", true],
  [0, true],
])("allow_ip_literals %j", (allow_ip_literals, allowed) => {
  expect(isServerAllowed({ allow: ["*"], allow_ip_literals }, "192.0.2.1")).toBe(allowed);
});

test("property: whoever a list names is denied, whatever it allows", () => {
  const name = fc.domain();
  fc.assert(
    fc.property(name, fc.array(fc.string()), fc.array(fc.string()), (denied, allow, deny) => {
      const content = { allow: [...allow, "*"], deny: [...deny, denied.toUpperCase()] };
      expect(isServerAllowed(content, denied)).toBe(false);
    }),
  );
});
