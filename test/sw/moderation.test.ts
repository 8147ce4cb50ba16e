import { describe, expect, test } from "vitest";
import { createRoom, good, home, join, refused, say, v1, v3 } from "./support/people.ts";

async function people() {
  const t = await home();
  const owner = await t.person("owner");
  const alice = await t.person("alice");
  const set = (action: "lock" | "suspend", value: boolean) =>
    owner.put(`${v1}/admin/${action}/${alice.userId}`, {
      [action === "lock" ? "locked" : "suspended"]: value,
    });
  return { ...t, owner, alice, set };
}

test("a locked account is told so at once, on everything but logging out", async () => {
  const { owner, alice, set } = await people();
  await good(alice.get(`${v3}/account/whoami`)); // its token is known to be good
  expect(await set("lock", true)).toMatchObject({ status: 200, body: { locked: true } });
  expect(await good(owner.get(`${v1}/admin/lock/${alice.userId}`))).toEqual({ locked: true });
  const locked = { status: 401, body: { errcode: "M_USER_LOCKED", soft_logout: true } };
  for (const path of ["/account/whoami", "/sync", "/joined_rooms", "/devices"]) {
    expect(await alice.get(v3 + path)).toMatchObject(locked);
  }
  await good(set("lock", false));
  await good(alice.get(`${v3}/account/whoami`));
  await good(set("lock", true));
  await good(alice.post(`${v3}/logout`));
  expect(await alice.get(`${v3}/account/whoami`)).toMatchObject(refused(401, "M_UNKNOWN_TOKEN"));
});

test("a locked account can log out everywhere", async () => {
  const { alice, set } = await people();
  await good(set("lock", true));
  await good(alice.post(`${v3}/logout/all`));
  await good(set("lock", false));
  expect(await alice.get(`${v3}/account/whoami`)).toMatchObject(refused(401, "M_UNKNOWN_TOKEN"));
});

describe("a suspended account", () => {
  async function suspended() {
    const t = await people();
    const roomId = await createRoom(t.owner, { invite: [t.alice.userId] });
    const other = await createRoom(t.owner);
    const invited = await createRoom(t.owner, { invite: [t.alice.userId] });
    await join(t.alice, roomId);
    const own = await say(t.alice, roomId, "mine");
    const others = await say(t.owner, roomId, "theirs");
    const levels = { users: { [t.alice.userId]: 100 } };
    await good(t.owner.put(`${v3}/rooms/${roomId}/state/m.room.power_levels`, levels));
    expect(await t.set("suspend", true)).toMatchObject({ status: 200, body: { suspended: true } });
    return { ...t, roomId, other, invited, own, others };
  }

  test("reads, redacts its own, leaves, rejects invites, and logs out", async () => {
    const { alice, roomId, own, invited } = await suspended();
    expect(await good(alice.get(`${v3}/sync`))).toMatchObject({ rooms: { join: { [roomId]: {} } } });
    await good(alice.get(`${v3}/rooms/${roomId}/messages?dir=b`));
    await good(alice.put(`${v3}/rooms/${roomId}/redact/${own}/1`, {}));
    await good(alice.post(`${v3}/rooms/${invited}/leave`));
    await good(
      alice.put(`${v3}/rooms/${roomId}/state/m.room.member/${alice.userId}`, { membership: "leave" }),
    );
    await good(alice.post(`${v3}/logout`));
  });

  test("does nothing else that others would notice, until that ends", async () => {
    const { alice, owner, set, roomId, other, invited, others } = await suspended();
    const room = `${v3}/rooms/${roomId}`;
    const attempts = [
      () => alice.post(`${v3}/createRoom`),
      () => alice.post(`${v3}/join/${other}`),
      () => alice.post(`${v3}/rooms/${invited}/join`),
      () => alice.post(`${v3}/knock/${other}`),
      () => alice.post(`${room}/invite`, { user_id: "@bob:x" }),
      () => alice.post(`${room}/kick`, { user_id: owner.userId }),
      () => alice.put(`${room}/send/m.room.message/2`, { msgtype: "m.text", body: "x" }),
      () => alice.put(`${room}/state/m.room.topic`, { topic: "x" }),
      () => alice.put(`${room}/state/m.room.member/${owner.userId}`, { membership: "leave" }),
      () => alice.put(`${room}/redact/${others}/3`, {}),
      () => alice.put(`${v3}/directory/list/room/${roomId}`, { visibility: "public" }),
      () => alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: "x" }),
      () => alice.delete(`${v3}/profile/${alice.userId}/displayname`),
    ];
    for (const attempt of attempts) expect(await attempt()).toMatchObject(refused(403, "M_USER_SUSPENDED"));
    await good(set("suspend", false));
    await good(alice.put(`${room}/send/m.room.message/4`, { msgtype: "m.text", body: "x" }));
    await good(alice.put(`${room}/redact/${others}/5`, {}));
  });
});

test("administrators alone look, and what is no bit is none", async () => {
  const { owner, alice } = await people();
  for (const path of [`${v1}/admin/lock/`, `${v1}/admin/suspend/`, `${v3}/admin/whois/`]) {
    expect(await alice.get(path + owner.userId)).toMatchObject(refused(403, "M_FORBIDDEN"));
  }
  expect(await owner.put(`${v1}/admin/lock/${alice.userId}`, { locked: "yes" })).toMatchObject(
    refused(400, "M_BAD_JSON"),
  );
  expect(await owner.put(`${v1}/admin/lock/${alice.userId}`, { suspended: true })).toMatchObject(
    refused(400, "M_MISSING_PARAM"),
  );
  expect(await good(owner.get(`${v3}/admin/whois/${alice.userId}`))).toMatchObject({ user_id: alice.userId });
});

test("capabilities are those of who asks", async () => {
  const { owner, alice, guest } = await people();
  const ofGuest = await guest();
  const of = async (who: typeof alice) => (await good(who.get(`${v3}/capabilities`))).capabilities;
  expect(await of(owner)).toMatchObject({ "m.account_moderation": { suspend: true, lock: true } });
  expect(await of(alice)).not.toHaveProperty(["m.account_moderation"]);
  expect(await of(alice)).toMatchObject({ "m.change_password": { enabled: true } });
  expect(await of(ofGuest)).toMatchObject({
    "m.change_password": { enabled: false },
    "m.profile_fields": { enabled: true, allowed: ["displayname"] },
  });
});
