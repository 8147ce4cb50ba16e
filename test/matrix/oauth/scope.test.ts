import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseScope } from "../../../src/matrix/oauth/scope.ts";

const api = "urn:matrix:client:api:*";
const device = "urn:matrix:client:device:";
const formerApi = "urn:matrix:org.matrix.msc2967.client:api:*";
const formerDevice = "urn:matrix:org.matrix.msc2967.client:device:";

test.each<[scope: string, deviceId: string, granted: string]>([
  [`${api} ${device}ABC`, "ABC", `${api} ${device}ABC`],
  [`${formerDevice}ABC ${formerApi}`, "ABC", `${formerDevice}ABC ${formerApi}`],
  [`openid ${api} email ${device}ABC`, "ABC", `${api} ${device}ABC`],
  [`${api} ${formerApi} ${device}A ${formerDevice}A`, "A", `${api} ${formerApi} ${device}A ${formerDevice}A`],
  [`${api} ${device}A ${device}A`, "A", `${api} ${device}A`],
  [`${api}  ${device}a:b/*`, "a:b/*", `${api} ${device}a:b/*`],
])("%s", (scope, deviceId, granted) => expect(parseScope(scope)).toEqual({ deviceId, granted }));

describe("refused is", () => {
  test.each<[what: string, scope: string]>([
    ["nothing", ""],
    ["no device", api],
    ["no access", `${device}ABC`],
    ["two devices", `${api} ${device}A ${device}B`],
    ["two devices in two spellings", `${api} ${device}A ${formerDevice}B`],
    ["a device without a name", `${api} ${device}`],
    ["a name that is too long", `${api} ${device}${"x".repeat(256)}`],
    ["a quote", `${api} ${device}A"`],
    ["a backslash", `${api} ${device}A\\`],
    ["a tab", `${api}\t${device}A`],
    ["a letter that is not ASCII", `${api} ${device}Ä`],
  ])("%s", (_, scope) => {
    expect(() => parseScope(scope)).toThrow(
      expect.objectContaining({ errcode: "invalid_scope", status: 400 }),
    );
  });
});

test("whatever is granted was asked for, and means the same when it is asked for again", () => {
  const token = fc.constantFrom(api, formerApi, `${device}A`, `${formerDevice}A`, "openid", "profile");
  fc.assert(
    fc.property(fc.array(token), (tokens) => {
      const scope = [...tokens, api, `${device}A`].join(" ");
      const { deviceId, granted } = parseScope(scope);
      expect(scope.split(" ")).toEqual(expect.arrayContaining(granted.split(" ")));
      expect(parseScope(granted)).toEqual({ deviceId, granted });
    }),
  );
});
