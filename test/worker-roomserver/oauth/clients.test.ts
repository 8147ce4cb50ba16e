import { expect, test } from "vitest";
import { maxClients } from "../../../src/worker-roomserver/oauth/clients.ts";
import { codeFor, metadata, oauthHome, queryFor, redeem } from "../support/oauth.ts";
import { error } from "../support/users.ts";

const dayMs = 24 * 60 * 60_000;

test("a client that says the same of itself is the same, to the next leader too", async () => {
  const home = await oauthHome();
  const [first, again] = await Promise.all([
    home.oauth.registerClient(metadata),
    home.oauth.registerClient(metadata),
  ]);
  expect(again).toEqual(first);
  expect(first).toMatchObject({ client_id: expect.stringMatching(/^[\w-]{43}$/), client_name: "An app" });
  const reordered = Object.fromEntries(Object.entries(metadata).reverse());
  const next = await home.reopen();
  expect(await next.oauth.registerClient({ ...reordered, "client_name#fr": "Une app" })).toEqual(first);
  expect(await next.users.storage.getAllKeys("oauthClients")).toEqual([first.client_id]);
  const other = await next.oauth.registerClient({ ...metadata, client_name: "Another" });
  expect(other.client_id).not.toBe(first.client_id);
});

test("a bad one is not kept", async () => {
  const { oauth, users } = await oauthHome();
  const bad = oauth.registerClient({ ...metadata, redirect_uris: ["https://evil.org/"] });
  await expect(bad).rejects.toEqual(error("invalid_redirect_uri", 400));
  expect(await users.storage.getAllKeys("oauthClients")).toEqual([]);
});

test("clients go that nobody is logged in with, a day after they came last", async () => {
  const home = await oauthHome();
  const { oauth, users } = home;
  const used = await oauth.registerClient(metadata);
  await redeem(home, await codeFor(home));
  const unused = await oauth.registerClient({ ...metadata, client_name: "Unused" });
  const back = await oauth.registerClient({ ...metadata, client_name: "Back" });
  const left = async () => {
    for await (const _ of oauth.dropUnusedClients());
    return (await users.storage.getAllKeys("oauthClients")).sort();
  };
  users.world.time += dayMs - 1;
  expect(await left()).toEqual([used, unused, back].map((it) => it.client_id).sort());
  await oauth.registerClient({ ...metadata, client_name: "Back" });
  users.world.time += 1;
  expect(await left()).toEqual([used, back].map((it) => it.client_id).sort());
  users.world.time += 30 * dayMs;
  expect(await left()).toEqual([used.client_id]);
});

test("only so many are kept", async () => {
  const { oauth, users } = await oauthHome();
  await users.storage.commit((write) => {
    for (let i = 0; i < maxClients - 1; i++) {
      write.put("oauthClients", { json: "{}", at: users.world.time }, `client${i}`);
    }
  });
  const last = await oauth.registerClient(metadata);
  const more = () => oauth.registerClient({ ...metadata, client_name: "One more" });
  await expect(more()).rejects.toEqual(error("temporarily_unavailable", 503));
  expect(await oauth.registerClient(metadata)).toEqual(last);
  users.world.time += dayMs;
  for await (const _ of oauth.dropUnusedClients());
  expect(await more()).toHaveProperty("client_id");
});

test("a request of a client that was removed shows an error", async () => {
  const home = await oauthHome();
  const query = await queryFor(home);
  home.users.world.time += dayMs;
  for await (const _ of home.oauth.dropUnusedClients());
  const opened = home.oauth.open({ for: "authorize", query });
  await expect(opened).rejects.toEqual(error("invalid_client", 401));
});
