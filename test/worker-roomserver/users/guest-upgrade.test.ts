import { describe, expect, test } from "vitest";
import {
  done,
  dummy,
  error,
  type LoggedIn,
  login,
  register,
  request,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

const refused = error("M_FORBIDDEN", 403);
const nameOf = ({ user_id }: LoggedIn) => user_id.slice(1, user_id.indexOf(":"));
const guestAt = async (users: TestUsers) => done(await users.register(request(), "guest", {})) as LoggedIn;

describe("a guest becomes a user", () => {
  test("under their name, with their profile, and with the device that they have", async () => {
    const users = await testUsers();
    await register(users, "owner");
    const guest = await guestAt(users);
    const { requester } = await users.authenticate(guest.access_token);
    await users.setProfileField(requester, guest.user_id, "displayname", "Visitor");
    const name = nameOf(guest);
    const user = await register(users, name, { guest_access_token: guest.access_token });
    expect(user.user_id).toBe(guest.user_id);
    expect(await users.profile(guest.user_id)).toEqual({ displayname: "Visitor" });
    for (const token of [user.access_token, guest.access_token]) {
      expect((await users.authenticate(token)).requester).toMatchObject({ kind: "user", admin: false });
    }
    expect((await login(users, name)).user_id).toBe(guest.user_id);
  });

  test("once: of two requests at once the second is refused", async () => {
    const users = await testUsers();
    const guest = await guestAt(users);
    const name = nameOf(guest);
    const asked = { guest_access_token: guest.access_token };
    const outcomes = await Promise.allSettled([register(users, name, asked), register(users, name, asked)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(register(users, name, asked)).rejects.toEqual(refused);
  });

  test("who is the first of all owns the server", async () => {
    const users = await testUsers();
    const guest = await guestAt(users);
    const user = await register(users, nameOf(guest), { guest_access_token: guest.access_token });
    expect((await users.authenticate(user.access_token)).requester.admin).toBe(true);
  });
});

describe("nobody takes an account over", () => {
  test("with no token of the guest, a user's, or under another name", async () => {
    const users = await testUsers();
    const owner = await register(users, "owner");
    const guest = await guestAt(users);
    const other = await guestAt(users);
    const name = nameOf(guest);
    for (const guest_access_token of ["x", owner.access_token, other.access_token]) {
      await expect(register(users, name, { guest_access_token })).rejects.toEqual(refused);
    }
    const attempt = register(users, "owner", { guest_access_token: guest.access_token });
    await expect(attempt).rejects.toEqual(refused);
    await expect(register(users, name)).rejects.toEqual(error("M_USER_IN_USE", 400));
    const nameless = users.register(request(), "user", {
      password: "x",
      auth: dummy,
      guest_access_token: guest.access_token,
    });
    await expect(nameless).rejects.toEqual(error("M_MISSING_PARAM", 400));
    expect((await users.authenticate(guest.access_token)).requester.kind).toBe("guest");
  });
});
