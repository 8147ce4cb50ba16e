import { expect, test } from "vitest";
import { openAccountData } from "../../../src/worker-roomserver/account-data/open.ts";
import {
  done,
  failNextCommit,
  passwordAuth,
  register,
  request,
  requesterOf,
  testUsers,
} from "../support/users.ts";

async function home() {
  const users = await testUsers();
  const accountData = openAccountData({ storage: users.storage });
  const alice = await requesterOf(users, await register(users, "alice"));
  const bob = await requesterOf(users, await register(users, "bob"));
  for (const who of [alice, bob]) {
    await accountData.set(who, who.userId, null, "m.direct", {});
    await accountData.set(who, who.userId, "!room:home.example", "m.tag", { tags: {} });
    await accountData.createFilter(who, who.userId, {});
  }
  const deactivate = (erase?: boolean) =>
    users.deactivate(request(), alice, { auth: passwordAuth("alice"), erase });
  return { users, alice, bob, deactivate };
}

test("with its content erased, an account leaves nothing behind but its name, for the next leader as well", async () => {
  const { users, alice, bob, deactivate } = await home();
  expect(users.erasedSince(alice.userId)).toBeUndefined();
  done(await deactivate(true));
  const { position } = users.storage;
  const next = await users.reopen();
  for (const each of [users, next]) {
    expect(each.erasedSince(alice.userId)).toBe(position);
    expect(each.erasedSince(bob.userId)).toBeUndefined();
  }
  const ofBob = await next.storage.names.find(bob.userId);
  expect((await next.storage.getAll("accountData")).map(({ u }) => u)).toEqual([ofBob, ofBob]);
  expect((await next.storage.getAllKeys("filters")).map(([u]) => u)).toEqual([ofBob]);
  await expect(next.profile(alice.userId)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  expect(await next.isUsernameAvailable("alice").catch(({ errcode }) => errcode)).toBe("M_USER_IN_USE");
});

test("without that, all of it stays", async () => {
  const { users, alice, deactivate } = await home();
  done(await deactivate());
  expect(users.erasedSince(alice.userId)).toBeUndefined();
  expect(await users.storage.getAll("accountData")).toHaveLength(4);
});

test("what the disk refuses has erased nobody", async () => {
  const { users, alice, deactivate } = await home();
  failNextCommit(users.storage);
  await expect(deactivate(true)).rejects.toThrow();
  expect(users.erasedSince(alice.userId)).toBeUndefined();
});
