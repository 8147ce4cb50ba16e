import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { hsToken, yamlOf } from "../worker-roomserver/appservices/support/registration.ts";
import { until } from "../worker-roomserver/support/rounds.ts";
import { dummy } from "../worker-roomserver/support/users.ts";
import { bridged, errorOf, part, type Transaction, v3 } from "./support/bridged.ts";

describe("an application service", () => {
  test("registers its users, and acts as them without a budget", async () => {
    const home = await bridged();
    for (let i = 0; i < 10; i++) expect((await home.makeGhost(`user${i}`)).status).toBe(200);
    const { status, body } = await home.makeGhost("bob", { inhibit_login: false });
    expect([status, body.user_id, typeof body.access_token]).toEqual([200, home.ghost("bob"), "string"]);
    expect((await home.bridge("GET", `${v3}/account/whoami`)).body).toEqual({
      user_id: home.sender,
      is_guest: false,
    });
    const as = `user_id=${part(home.ghost("bob"))}&device_id=${part(body.device_id as string)}`;
    expect((await home.bridge("GET", `${v3}/account/whoami?${as}`)).body).toMatchObject({
      user_id: home.ghost("bob"),
      device_id: body.device_id,
    });
    const login = {
      type: "m.login.application_service",
      identifier: { type: "m.id.user", user: "_irc_bob" },
    };
    expect((await home.bridge("POST", `${v3}/login`, login)).body.user_id).toBe(home.ghost("bob"));
    const { body: flows } = await home.ask("GET", `${v3}/login`);
    expect(flows.flows).toContainEqual({ type: "m.login.application_service" });
  });

  test("acts for nobody else, and nobody else has what is its own", async () => {
    const home = await bridged();
    const { bridge, person, ask, own, serverName } = home;
    const alice = part(`@alice:${serverName}`);
    expect(errorOf(await bridge("GET", `${v3}/account/whoami?user_id=${alice}`))).toEqual([
      403,
      "M_FORBIDDEN",
    ]);
    const nobody = part(home.ghost("nobody"));
    expect(errorOf(await bridge("GET", `${v3}/account/whoami?user_id=${nobody}`))).toEqual([
      403,
      "M_FORBIDDEN",
    ]);
    expect(errorOf(await bridge("GET", `${v3}/account/whoami?device_id=X`))).toEqual([
      400,
      "M_UNKNOWN_DEVICE",
    ]);
    // A person's own parameters of that name are nothing.
    expect((await person("GET", `${v3}/account/whoami?user_id=${nobody}`)).body.user_id).toBe(
      `@alice:${serverName}`,
    );

    const outside = { type: "m.login.application_service", username: "carol" };
    expect(errorOf(await bridge("POST", `${v3}/register`, outside))).toEqual([400, "M_EXCLUSIVE"]);
    const into = { type: "m.login.application_service", identifier: { type: "m.id.user", user: "alice" } };
    expect(errorOf(await bridge("POST", `${v3}/login`, into))).toEqual([400, "M_EXCLUSIVE"]);
    expect(errorOf(await own("POST", `${v3}/login`, { body: into }))).toEqual([401, "M_MISSING_TOKEN"]);
    expect(errorOf(await person("POST", `${v3}/register`, outside))).toEqual([401, "M_UNKNOWN_TOKEN"]);
    const mine = { username: "_irc_eve", password: "correct horse battery", auth: dummy };
    expect(errorOf(await own("POST", `${v3}/register`, { body: mine }))).toEqual([400, "M_EXCLUSIVE"]);
    expect(errorOf(await ask("GET", `${v3}/register/available?username=_irc_eve`))).toEqual([
      400,
      "M_EXCLUSIVE",
    ]);

    const room_id = await home.room();
    const alias = (name: string) => `${v3}/directory/room/${part(`#${name}:${serverName}`)}`;
    expect(errorOf(await person("PUT", alias("_irc_den"), { room_id }))).toEqual([400, "M_EXCLUSIVE"]);
    const create = { room_alias_name: "_irc_den" };
    expect(errorOf(await person("POST", `${v3}/createRoom`, create))).toEqual([400, "M_EXCLUSIVE"]);
    expect((await bridge("POST", `${v3}/createRoom`, create)).status).toBe(200);
    expect(errorOf(await person("DELETE", alias("_irc_den")))).toEqual([400, "M_EXCLUSIVE"]);
    await bridge("POST", `${v3}/join/${part(room_id)}`);
    expect(errorOf(await bridge("PUT", alias("den"), { room_id }))).toEqual([400, "M_EXCLUSIVE"]);
    expect((await bridge("DELETE", alias("_irc_den"))).status).toBe(200);
  });

  test("says when an event was sent, makes devices and removes them without a password", async () => {
    const home = await bridged();
    const { bridge, person } = home;
    const room = part(await home.room());
    await bridge("POST", `${v3}/join/${room}`);
    const sent = await bridge("PUT", `${v3}/rooms/${room}/send/m.room.message/1?ts=17`, { body: "hi" });
    const event = (id: unknown) => person("GET", `${v3}/rooms/${room}/event/${part(id as string)}`);
    expect((await event(sent.body.event_id)).body.origin_server_ts).toBe(17);
    const state = await bridge("PUT", `${v3}/rooms/${room}/state/m.x/?ts=18`, {});
    expect(state.status).toBe(403); // no power, which has nothing to do with its time
    const others = await person("PUT", `${v3}/rooms/${room}/state/m.x/?ts=18`, {});
    expect((await event(others.body.event_id)).body.origin_server_ts).toBeGreaterThan(18);
    const wrong = await bridge("PUT", `${v3}/rooms/${room}/send/m.room.message/2?ts=-1`, {});
    expect(errorOf(wrong)).toEqual([400, "M_INVALID_PARAM"]);

    expect((await bridge("PUT", `${v3}/devices/D`, { display_name: "Bot" })).status).toBe(201);
    expect((await bridge("PUT", `${v3}/devices/D`, { display_name: "Bot" })).status).toBe(200);
    expect((await bridge("GET", `${v3}/account/whoami?device_id=D`)).body.device_id).toBe("D");
    expect((await bridge("DELETE", `${v3}/devices/D`)).status).toBe(200);
    expect(errorOf(await bridge("GET", `${v3}/account/whoami?device_id=D`))).toEqual([
      400,
      "M_UNKNOWN_DEVICE",
    ]);
  });

  test("is told of the rooms of its users, of typing, receipts and messages to devices, and of nothing else", async () => {
    const home = await bridged({ receive_ephemeral: true, "org.matrix.msc3202": true });
    const { bridge, person, ghost, serverName } = home;
    await home.makeGhost("bob", { inhibit_login: false, device_id: "BOB" });
    const other = await home.room();
    const room = await home.room();
    await bridge("POST", `${v3}/join/${part(room)}?user_id=${part(ghost("bob"))}`);
    const say = (where: string, txn: string) =>
      person("PUT", `${v3}/rooms/${part(where)}/send/m.room.message/${txn}`, {
        msgtype: "m.text",
        body: txn,
      });
    await say(other, "unheard");
    const { body } = await say(room, "heard");
    await person("PUT", `${v3}/rooms/${part(room)}/typing/${part(`@alice:${serverName}`)}`, {
      typing: true,
      timeout: 30_000,
    });
    await person("POST", `${v3}/rooms/${part(room)}/receipt/m.read/${part(body.event_id as string)}`, {});
    await person("PUT", `${v3}/presence/${part(`@alice:${serverName}`)}/status`, {
      presence: "online",
      status_msg: "gardening",
    });
    await person("PUT", `${v3}/sendToDevice/m.x/1`, { messages: { [ghost("bob")]: { BOB: { a: 1 } } } });
    const all = <T>(pick: (transaction: Transaction) => T[] | undefined) =>
      home.transactions().flatMap((transaction) => pick(transaction) ?? []);
    const toDevice = () => all((transaction) => transaction["de.sorunome.msc2409.to_device"]);
    await until(() => toDevice().length > 0);

    const events = all(({ events }) => events);
    expect(new Set(events.map(({ room_id }) => room_id))).toEqual(new Set([room]));
    expect(events.map(({ type, content }) => content.body ?? content.membership ?? type)).toEqual([
      "join",
      "heard",
    ]);
    const ephemeral = all((transaction) => transaction.ephemeral);
    expect(ephemeral).toContainEqual({
      type: "m.typing",
      room_id: room,
      content: { user_ids: [`@alice:${serverName}`] },
    });
    expect(ephemeral).toContainEqual(expect.objectContaining({ type: "m.receipt", room_id: room }));
    expect(ephemeral).toContainEqual(expect.objectContaining({ type: "m.presence" }));
    expect(toDevice()).toEqual([
      {
        ...{ type: "m.x", sender: `@alice:${serverName}`, content: { a: 1 } },
        ...{ to_user_id: ghost("bob"), to_device_id: "BOB" },
      },
    ]);
    // It was taken out of the device's queue.
    const as = `user_id=${part(ghost("bob"))}&device_id=BOB`;
    expect((await bridge("GET", `${v3}/sync?timeout=0&${as}`)).body.to_device).toEqual({ events: [] });
    for (const { method, authorization } of home.calls) {
      expect([method, authorization]).toEqual(["PUT", `Bearer ${hsToken}`]);
    }
  });

  test("that was away is told what happened while its user was in the room, and no more", async () => {
    const home = await bridged();
    let isAway = true;
    home.answers(async () => ({ status: isAway ? 503 : 200 }));
    const room = await home.room();
    const as = `user_id=${part(home.ghost("bob"))}`;
    const say = (txn: string) =>
      home.person("PUT", `${v3}/rooms/${part(room)}/send/m.room.message/${txn}`, { body: txn });
    await home.makeGhost("bob");
    await say("before");
    await home.bridge("POST", `${v3}/join/${part(room)}?${as}`);
    await until(() => home.transactions().length > 0); // from here on, it waits with what is next
    await say("within");
    await home.bridge("POST", `${v3}/rooms/${part(room)}/leave?${as}`);
    await say("after");
    await home.bridge("POST", "/_matrix/client/v1/appservice/irc/ping", {}); // which fails: it is away
    const told = () => {
      const bodies = new Map(
        home.calls
          .filter(({ path }) => path.startsWith("transactions/"))
          .map(({ path, body }) => [path, body]),
      );
      return [...bodies.values()].flatMap(({ events }) =>
        (events as Transaction["events"]).map(({ content }) => content.body ?? content.membership),
      );
    };
    expect(told()).toEqual(["join"]);
    isAway = false;
    await home.bridge("POST", "/_matrix/client/v1/appservice/irc/ping", {});
    await until(() => told().length >= 3);
    await say("much later");
    await home.bridge("POST", `${v3}/join/${part(room)}?${as}`);
    await until(() => told().length >= 4);
    expect(told()).toEqual(["join", "within", "leave", "join"]);
  });

  test("is asked for users and rooms that are not there, and makes them", async () => {
    const home = await bridged();
    home.answers(async ({ path }) => {
      if (path === `users/${part(home.ghost("new"))}`) await home.makeGhost("new");
      else if (path === `rooms/${part(`#_irc_den:${home.serverName}`)}`) {
        await home.bridge("POST", `${v3}/createRoom`, { preset: "public_chat", room_alias_name: "_irc_den" });
      } else if (!path.startsWith("transactions/")) return { status: 404 };
      return { status: 200 };
    });
    const room = await home.room();
    const invite = (user_id: string) => home.person("POST", `${v3}/rooms/${part(room)}/invite`, { user_id });
    expect((await invite(home.ghost("new"))).status).toBe(200);
    expect(errorOf(await invite(home.ghost("none")))).toEqual([404, "M_NOT_FOUND"]);
    const join = (name: string) =>
      home.person("POST", `${v3}/join/${part(`#${name}:${home.serverName}`)}`, {});
    expect((await join("_irc_den")).status).toBe(200);
    expect(errorOf(await join("_irc_cave"))).toEqual([404, "M_NOT_FOUND"]);
    expect(errorOf(await join("cave"))).toEqual([404, "M_NOT_FOUND"]);
    expect(home.calls.filter(({ path }) => path.includes(part("#cave")))).toEqual([]);
  });

  test("is pinged, and told what is wrong", async () => {
    const home = await bridged();
    const ping = () => home.bridge("POST", "/_matrix/client/v1/appservice/irc/ping", { transaction_id: "t" });
    expect((await ping()).body).toEqual({ duration_ms: expect.any(Number) });
    expect(home.calls.at(-1)).toMatchObject({ method: "POST", path: "ping", body: { transaction_id: "t" } });
    home.answers(async () => ({ status: 403, body: { errcode: "M_FORBIDDEN" } }));
    expect((await ping()).body).toMatchObject({
      ...{ errcode: "M_BAD_STATUS", status: 403, body: '{"errcode":"M_FORBIDDEN"}' },
    });
    home.answers(async () => ({ failure: "timeout", why: "late" }));
    expect(errorOf(await ping())).toEqual([504, "M_CONNECTION_TIMEOUT"]);
    home.answers(async () => ({ failure: "unreachable", why: "no way" }));
    expect(errorOf(await ping())).toEqual([502, "M_CONNECTION_FAILED"]);
    const others = await home.bridge("POST", "/_matrix/client/v1/appservice/x/ping", {});
    expect(errorOf(others)).toEqual([403, "M_FORBIDDEN"]);
  });

  test("of before the first version of the API is reached where it looks, with the token where it looks for it", async () => {
    const home = await bridged({ receive_ephemeral: true });
    const fallbacks = new Map<string, number>();
    home.answers(async ({ path }) => {
      const isLegacy = path.startsWith("/");
      if (isLegacy) fallbacks.set(path, (fallbacks.get(path) ?? 0) + 1);
      if (path.startsWith("/users/") && !path.includes("none")) await home.makeGhost("new");
      else if (!/^\/(transactions|_matrix\/app\/unstable)\//.test(path)) {
        return { status: 404, ...(isLegacy && { body: { errcode: "M_NOT_FOUND" } }) };
      }
      return { status: 200, ...(path.includes("/thirdparty/") && { body: [] as unknown as JsonObject }) };
    });
    const room = await home.room();
    const invite = (user_id: string) => home.person("POST", `${v3}/rooms/${part(room)}/invite`, { user_id });
    expect((await invite(home.ghost("new"))).status).toBe(200);
    expect(errorOf(await invite(home.ghost("none")))).toEqual([404, "M_NOT_FOUND"]);
    await home.person("GET", `${v3}/thirdparty/user/irc?nick=x`);
    await until(() => [...fallbacks.keys()].some((path) => path.startsWith("/transactions/")));
    const token = `access_token=${hsToken}`;
    expect([...fallbacks.keys()].filter((path) => !path.startsWith("/transactions/"))).toEqual([
      `/users/${part(home.ghost("new"))}?${token}`,
      `/users/${part(home.ghost("none"))}?${token}`,
      `/_matrix/app/unstable/thirdparty/user/irc?nick=x&${token}`,
    ]);
    expect(new Set(fallbacks.values())).toEqual(new Set([1]));
    for (const { authorization } of home.calls) expect(authorization).toBe(`Bearer ${hsToken}`);
  });

  test("that says what is wrong is not asked in the old way", async () => {
    const home = await bridged();
    home.answers(async () => ({ status: 404, body: { errcode: "M_NOT_FOUND" } }));
    const room = await home.room();
    const user_id = home.ghost("none");
    await home.person("POST", `${v3}/rooms/${part(room)}/invite`, { user_id });
    expect(home.calls.map(({ path }) => path)).toEqual([`users/${part(user_id)}`]);
  });

  test("lists rooms in networks of its own, which are asked for by their names", async () => {
    const home = await bridged();
    const [own, bridgedRoom, closed] = [
      await home.room({ visibility: "public" }),
      await home.room(),
      await home.room({ preset: "private_chat" }),
    ];
    const list = (room: string, network: string, visibility: string) =>
      home.bridge("PUT", `${v3}/directory/list/appservice/${part(network)}/${part(room)}`, { visibility });
    for (const [room, network] of [
      [bridgedRoom, "free|node"],
      [bridgedRoom, "oftc"],
      [own, "oftc"],
      [closed, "oftc"],
    ] as const) {
      expect((await list(room, network, "public")).status).toBe(200);
    }
    const rooms = async (body: JsonObject = {}) => {
      const { chunk } = (await home.person("POST", `${v3}/publicRooms`, body)).body;
      return new Set((chunk as { room_id: string }[]).map(({ room_id }) => room_id));
    };
    const of = (third_party_instance_id: string) => rooms({ third_party_instance_id });
    expect(await rooms()).toEqual(new Set([own]));
    expect(await of("irc|free|node")).toEqual(new Set([bridgedRoom]));
    expect(await of("irc|oftc")).toEqual(new Set([bridgedRoom, own]));
    expect(await of("irc")).toEqual(new Set());
    expect(await of("irc|free")).toEqual(new Set());
    expect(await of("|".repeat(10_000))).toEqual(new Set());
    expect(await rooms({ include_all_networks: true })).toEqual(new Set([bridgedRoom, own]));
    const page = await home.person("POST", `${v3}/publicRooms`, { include_all_networks: true, limit: 1 });
    expect(page.body).toMatchObject({ total_room_count_estimate: 2, next_batch: expect.any(String) });
    expect((await list(bridgedRoom, "oftc", "private")).status).toBe(200);
    expect(await of("irc|oftc")).toEqual(new Set([own]));
    await home.node.roomConsole.purge(own, { leave: true });
    expect(await of("irc|oftc")).toEqual(new Set());
    await until(async () => (await home.node.storage.getAllKeys("appServiceRooms")).length === 2);
    await home.node.appServices.remove("irc");
    expect(await rooms({ include_all_networks: true })).toEqual(new Set());
  });

  test("that has named no device is told so where one is needed, and does without one elsewhere", async () => {
    const home = await bridged();
    const roomId = await home.room();
    const keys = { device_keys: {}, one_time_keys: {} };
    const pusher = { app_id: "a", pushkey: "k", kind: "http", lang: "en", app_display_name: "A" };
    const url = "https://push.example.org/_matrix/push/v1/notify";
    const sliding = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
    for (const [path, body] of [
      [`${v3}/keys/upload`, keys],
      [`${v3}/pushers/set`, { ...pusher, device_display_name: "D", data: { url } }],
      [sliding, { extensions: { to_device: { enabled: true } } }],
      [`${v3}/logout`, {}],
    ] as const) {
      const answer = await home.bridge("POST", path, body);
      expect([path, ...errorOf(answer)]).toEqual([path, 400, "M_MISSING_PARAM"]);
      expect(answer.body.error).toContain("device_id");
    }
    await home.bridge("POST", `${v3}/rooms/${roomId}/join`, {});
    const send = () => home.bridge("PUT", `${v3}/rooms/${roomId}/send/m.room.message/1`, { body: "hi" });
    const sent = await send();
    expect(sent.status).toBe(200);
    expect((await send()).body).toEqual(sent.body);
    const { status, body } = await home.bridge("GET", `${v3}/sync`);
    expect(status).toBe(200);
    expect(body.to_device).toEqual({ events: [] });
    expect(JSON.stringify(body)).toContain('"transaction_id":"1"');
  });

  test("without a URL is told nothing", async () => {
    const home = await bridged({ url: null });
    const ping = await home.bridge("POST", "/_matrix/client/v1/appservice/irc/ping", {});
    expect(errorOf(ping)).toEqual([400, "M_URL_NOT_SET"]);
    expect(home.calls).toEqual([]);
  });

  test("has a budget for its users, not for its sender, where its registration says so", async () => {
    const home = await bridged({ rate_limited: true });
    await home.makeGhost("bob");
    const statuses = async (as: string) => {
      const asked = Array.from({ length: 60 }, () =>
        home.bridge("PUT", `${v3}/profile/${part(as)}/displayname?user_id=${part(as)}`, { displayname: "x" }),
      );
      return new Set((await Promise.all(asked)).map(({ status }) => status));
    };
    expect(await statuses(home.ghost("bob"))).toEqual(new Set([200, 429]));
    expect(await statuses(home.sender)).toEqual(new Set([200]));
  });
});

describe("the owner of the server", () => {
  test("adds services that have an id and a token of their own, and removes them", async () => {
    const home = await bridged();
    const { appServices } = home.node;
    const refused = expect.objectContaining({ errcode: "M_INVALID_PARAM" });
    const namespaces = { users: [] };
    const sender_localpart = "other";
    await expect(
      appServices.add(yamlOf({ as_token: "x".repeat(20), sender_localpart, namespaces })),
    ).rejects.toEqual(refused);
    await expect(appServices.add(yamlOf({ id: "other", sender_localpart, namespaces }))).rejects.toEqual(
      refused,
    );
    await expect(appServices.add("a: [")).rejects.toMatchObject({ errcode: "M_BAD_JSON" });
    await expect(appServices.add("a: &a [1]\nb: *a")).rejects.toMatchObject({ errcode: "M_BAD_JSON" });
    const [status] = await appServices.list();
    expect(status).toMatchObject({ id: "irc", sender: home.sender, failing: null });
    expect(JSON.stringify(status)).not.toMatch(/hs_|as_h/);

    await appServices.remove("irc");
    await appServices.remove("irc");
    expect(await appServices.list()).toEqual([]);
    expect(errorOf(await home.bridge("GET", `${v3}/account/whoami`))).toEqual([401, "M_UNKNOWN_TOKEN"]);
    expect(await home.node.storage.get("readers", "appservice irc")).toBeUndefined();
    const eve = { username: "_irc_eve", password: "correct horse battery", auth: dummy };
    expect((await home.own("POST", `${v3}/register`, { body: eve })).status).toBe(200);
    // It may come back; its sender is its own still.
    expect((await appServices.add(yamlOf())).sender).toBe(home.sender);
  });

  test("cannot give a service somebody's name", async () => {
    const home = await bridged();
    const other = {
      id: "other",
      as_token: "x".repeat(20),
      sender_localpart: "alice",
      namespaces: { users: [] },
    };
    await expect(home.node.appServices.add(yamlOf(other))).rejects.toMatchObject({
      errcode: "M_USER_IN_USE",
    });
    const inside = { ...other, sender_localpart: "_irc_mine" };
    await expect(home.node.appServices.add(yamlOf(inside))).rejects.toMatchObject({ errcode: "M_EXCLUSIVE" });
  });
});
