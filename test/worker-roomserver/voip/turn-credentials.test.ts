import { expect, test } from "vitest";
import { defaultSettings } from "../../../src/worker-roomserver/settings/defaults.ts";
import { openVoip } from "../../../src/worker-roomserver/voip/open.ts";
import { turnCredentials } from "../../../src/worker-roomserver/voip/turn-credentials.ts";
import { requester } from "../support/requester.ts";

const uris = ["turn:turn.example.org:3478?transport=udp"];

test("a name that ends, and its HMAC-SHA1 in padded Base64", async () => {
  // By `printf 1700003600:@alice:h | openssl dgst -sha1 -hmac logen -binary | base64`.
  expect(await turnCredentials({ uris, ttl: 3600, secret: "logen" }, "@alice:h", 1_700_000_000_999)).toEqual({
    uris,
    ttl: 3600,
    username: "1700003600:@alice:h",
    password: "jZpjrme+ZokdawvCwv3Pn2SYwPI=",
  });
});

test("a name and a password that are everybody's", async () => {
  const settings = { uris, ttl: 60, username: "u", password: "p" };
  expect(await turnCredentials(settings, "@alice:h", 0)).toEqual(settings);
});

test("nothing where the owner has set nothing", async () => {
  const voip = openVoip({ settings: { current: defaultSettings }, now: () => 0 });
  expect(await voip.turnServer(requester("alice"))).toEqual({});
});
