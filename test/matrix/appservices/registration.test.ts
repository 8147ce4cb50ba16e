import { describe, expect, test } from "vitest";
import { parseRegistration } from "../../../src/matrix/appservices/registration.ts";
import { foundOf, mergedProtocol, protocolOf } from "../../../src/matrix/appservices/third-party.ts";
import { parseServerName } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";

const h = parseServerName("h.example");
const valid: JsonObject = {
  id: "irc",
  url: "http://127.0.0.1:1234/",
  as_token: "a".repeat(32),
  hs_token: "b".repeat(32),
  sender_localpart: "_irc_bot",
  namespaces: { users: [{ exclusive: true, regex: "@_irc_.*" }], rooms: [] },
};

describe("a registration", () => {
  test("is read as bridges write it", () => {
    const more = { protocols: ["irc"], "de.sorunome.msc2409.push_ephemeral": true, group_id: "x" };
    expect(parseRegistration({ ...valid, ...more }, h)).toEqual({
      id: "irc",
      url: "http://127.0.0.1:1234",
      asToken: valid.as_token,
      hsToken: valid.hs_token,
      senderLocalpart: "_irc_bot",
      namespaces: { users: [{ exclusive: true, regex: "@_irc_.*" }], aliases: [], rooms: [] },
      rateLimited: false,
      protocols: ["irc"],
      receiveEphemeral: true,
      pushEphemeral: true,
      receiveToDevice: false,
    });
    expect(parseRegistration({ ...valid, url: null }, h).url).toBeNull();
  });

  test.each<[string, unknown]>([
    ["id", ""],
    ["id", 17],
    ["url", "ftp://x"],
    ["url", "no url"],
    ["url", "http://x/?a=b"],
    ["url", "http://me:secret@x/"],
    ["url", undefined],
    ["as_token", "short"],
    ["hs_token", "with spaces in between"],
    ["sender_localpart", "Capital"],
    ["namespaces", undefined],
    ["namespaces", { users: {} }],
    ["namespaces", { users: [{ regex: "@a" }] }],
    ["namespaces", { users: [{ regex: "(", exclusive: true }] }],
    ["rate_limited", "yes"],
    ["protocols", "irc"],
    ["protocols", [17]],
  ])("with %s: %j is refused", (name, value) => {
    expect(() => parseRegistration({ ...valid, [name]: value }, h)).toThrow(
      expect.objectContaining({
        status: 400,
        errcode: expect.stringMatching(/^M_(BAD_JSON|INVALID_PARAM)$/),
      }),
    );
  });
});

describe("what services say of other networks", () => {
  const instance = { desc: "Net", network_id: "net", fields: {} };
  const protocol = { user_fields: ["nick"], location_fields: [], field_types: {}, instances: [instance, 17] };

  test("a protocol gets the names by which clients ask for its rooms", () => {
    const made = { ...instance, instance_id: "irc|net" };
    expect(protocolOf(protocol, "irc")).toEqual({ ...protocol, icon: "", instances: [made] });
    const both = [protocolOf(protocol, "irc")!, protocolOf(protocol, "other")!];
    expect(mergedProtocol(both)?.instances).toEqual([made, { ...made, instance_id: "other|net" }]);
  });

  test("what does not fit is left out", () => {
    expect(protocolOf({ ...protocol, field_types: { nick: 17 } }, "irc")).toBeUndefined();
    expect(protocolOf([], "irc")).toBeUndefined();
    const user = { userid: "@a:h", protocol: "irc", fields: {} };
    expect(foundOf([user, { ...user, fields: 1 }, "x"], "userid")).toEqual([user]);
    expect(foundOf({ user }, "userid")).toEqual([]);
  });
});
