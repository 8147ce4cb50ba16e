import { expect, test } from "vitest";
import { through } from "../support/media.ts";
import { dump } from "../support/storage.ts";
import { error, login, register, requesterOf, testUsers } from "../support/users.ts";

const day = 24 * 60 * 60_000;

test("an open page belongs to the session whose token it has last shown, also for the next leader", async () => {
  const users = await testUsers();
  const alice = await register(users, "alice");
  const bob = await register(users, "bob");
  await users.bindPage("one", alice.access_token);
  await users.bindPage("two", alice.access_token);
  await users.bindPage("two", bob.access_token);
  const next = await users.reopen();
  const of = async (page: string) => (await next.authenticatePage(page)).requester.userId;
  expect([await of("one"), await of("two")]).toEqual([alice.user_id, bob.user_id]);
  await expect(next.authenticatePage("three")).rejects.toEqual(error("M_MISSING_TOKEN", 401));
});

test("no token is kept", async () => {
  const users = await testUsers();
  const { access_token } = await register(users, "alice");
  await users.bindPage("one", access_token);
  expect(JSON.stringify((await dump(users.storage)).pages)).not.toContain(access_token);
});

test("it ends with the token: by logging out, and by a new login of the same device", async () => {
  const users = await testUsers();
  const first = await register(users, "alice");
  await users.bindPage("one", first.access_token);
  await users.logout(await requesterOf(users, first));
  await expect(users.authenticatePage("one")).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
  const second = await login(users, "alice", { device_id: first.device_id });
  await expect(users.authenticatePage("one")).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
  await users.bindPage("one", second.access_token);
  await login(users, "alice", { device_id: first.device_id });
  await expect(users.authenticatePage("one")).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
});

test("pages that are long closed are forgotten", async () => {
  const users = await testUsers();
  const { access_token } = await register(users, "alice");
  await users.bindPage("old", access_token);
  users.world.time += 5 * day;
  await users.bindPage("new", access_token);
  users.world.time += 3 * day;
  await through(() => users.dropOldPages());
  await expect(users.authenticatePage("old")).rejects.toEqual(error("M_MISSING_TOKEN", 401));
  expect((await users.authenticatePage("new")).requester.deviceId).toMatch(/./);
});
