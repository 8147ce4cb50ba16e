import { describe, expect, test } from "vitest";
import { createRoom, good, home, join, refused, v1, v3 } from "./support/people.ts";

test("support contacts are those that the owner names", async () => {
  const { ask, node } = await home();
  const path = "/.well-known/matrix/support";
  expect(await ask("GET", path)).toMatchObject(refused(404, "M_NOT_FOUND"));
  const support = {
    contacts: [{ role: "m.role.admin", matrix_id: "@admin:example.org" }],
    support_page: "https://example.org/help",
  };
  await node.settings.set({ support });
  expect((await ask("GET", path)).body).toEqual(support);
  expect(await ask("GET", "/.well-known/matrix/policy_server")).toMatchObject(refused(404, "M_NOT_FOUND"));
});

test("registration is as the owner has set it", async () => {
  const { ask, node } = await home();
  await node.settings.set({ registration: "closed", guests: false });
  const register = (kind: string) => ask("POST", `${v3}/register?kind=${kind}`, { body: {} });
  for (const kind of ["user", "guest"]) {
    expect(await register(kind)).toMatchObject(refused(403, "M_FORBIDDEN"));
  }
  await node.settings.set({ registration: "token" });
  expect((await register("user")).body.flows).toEqual([{ stages: ["m.login.registration_token"] }]);
});

test("calls get the TURN server that the owner has set", async () => {
  const { node, person, guest } = await home();
  const alice = await person("alice");
  expect(await good(alice.get(`${v3}/voip/turnServer`))).toEqual({});
  const uris = ["turns:turn.example.org:5349"];
  await node.settings.set({ turn: { uris, ttl: 60, secret: "s" } });
  for (const who of [alice, await guest()]) {
    const { username, ...rest } = await good(who.get(`${v3}/voip/turnServer`));
    expect(rest).toEqual({ uris, ttl: 60, password: expect.stringMatching(/^[A-Za-z0-9+/]{27}=$/) });
    expect(String(username).replace(/^\d+:/, "")).toBe(who.userId);
  }
});

test("an OpenID token is for oneself", async () => {
  const { node, person } = await home();
  const alice = await person("alice");
  const token = await good(alice.post(`${v3}/user/${alice.userId}/openid/request_token`));
  expect(await node.users.openIdUser(String(token.access_token))).toEqual({ sub: alice.userId });
  expect(await alice.post(`${v3}/user/@bob:example.org/openid/request_token`)).toMatchObject(
    refused(403, "M_FORBIDDEN"),
  );
});

test("there is no single sign-on, and there are no other networks", async () => {
  const { ask, person } = await home();
  const url = encodeURIComponent("https://app.example.org/");
  const redirect = `${v3}/login/sso/redirect`;
  expect(await ask("GET", `${redirect}?redirectUrl=${url}`)).toMatchObject(refused(404, "M_UNRECOGNIZED"));
  expect(await ask("GET", `${redirect}/idp?redirectUrl=${url}`)).toMatchObject(refused(404, "M_NOT_FOUND"));
  expect(await ask("GET", redirect)).toMatchObject(refused(400, "M_MISSING_PARAM"));
  const alice = await person("alice");
  expect(await good(alice.get(`${v3}/thirdparty/protocols`))).toEqual({});
  for (const path of [
    "protocol/irc",
    "location/irc",
    "user/irc",
    "location?alias=%23a:b.c",
    "user?userid=@a:b.c",
  ]) {
    expect(await alice.get(`${v3}/thirdparty/${path}`)).toMatchObject(refused(404, "M_NOT_FOUND"));
  }
  expect(await alice.get(`${v3}/thirdparty/user`)).toMatchObject(refused(400, "M_MISSING_PARAM"));
});

describe("mutual rooms", () => {
  test("are those that both are joined to", async () => {
    const { person } = await home();
    const alice = await person("alice");
    const bob = await person("bob");
    const both = [await createRoom(alice), await createRoom(bob)];
    await createRoom(alice, { invite: [bob.userId] });
    const left = await createRoom(alice);
    for (const roomId of [both[0]!, left]) await join(bob, roomId);
    await join(alice, both[1]!);
    await good(bob.post(`${v3}/rooms/${left}/leave`));
    const mutual = (userId: string) => alice.get(`${v1}/mutual_rooms?user_id=${encodeURIComponent(userId)}`);
    expect(await good(mutual(bob.userId))).toEqual({ joined: both.sort(), count: 2 });
    expect(await good(mutual("@nobody:example.org"))).toEqual({ joined: [], count: 0 });
    for (const odd of [alice.userId, "bob", "@ü:example.org"]) {
      expect(await mutual(odd)).toMatchObject(refused(400, "M_INVALID_PARAM"));
    }
    expect(await alice.get(`${v1}/mutual_rooms`)).toMatchObject(refused(400, "M_MISSING_PARAM"));
    expect(await alice.get(`${v1}/mutual_rooms?user_id=${bob.userId}&from=x`)).toMatchObject(
      refused(400, "M_INVALID_PARAM"),
    );
  });
});
