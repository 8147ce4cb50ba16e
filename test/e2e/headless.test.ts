import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HeadlessProcess, startHeadless } from "./support/headless-process.ts";
import { type RelayProcess, startRelay } from "./support/relay-process.ts";

const NAMED = "hs1.test";
const client = "/_matrix/client/v3";

describe("homeservers without a window", () => {
  let folder: string;
  let relay: RelayProcess;
  const running: HeadlessProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-headless-"));
    relay = await startRelay(join(folder, "relay"), 0, ["--given-names", NAMED]);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await relay.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (profile: string, ...args: string[]) => {
    const needed = ["--profile", join(folder, profile), "--relay", relay.url];
    const one = await startHeadless([...needed, "--client-listen", "0", ...args], {
      HEARTH_OWNER_PASSWORD: "the owner's",
    });
    running.push(one);
    return one;
  };

  async function ask(one: HeadlessProcess, method: string, path: string, body?: object, token = "") {
    const response = await fetch(one.ready.client_api[0] + path, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  }
  const register = (one: HeadlessProcess, username: string) => {
    const auth = { type: "m.login.dummy" };
    return ask(one, "POST", `${client}/register`, { username, password: "p w d", auth });
  };
  const login = (one: HeadlessProcess, user: string, password: string) => {
    const identifier = { type: "m.id.user", user };
    return ask(one, "POST", `${client}/login`, { type: "m.login.password", identifier, password });
  };

  test("run beside each other, each as its operator wants it, and are the same when they come again", async () => {
    const [first, second] = await Promise.all([
      start("one", "--server-name", NAMED, "--open-registration", "--no-rate-limits", "--room-version", "10"),
      start("two", "--owner", "olga", "--registration-secret", "a shared secret"),
    ]);
    expect(first.ready).toMatchObject({ server_name: NAMED, relays: [{ connection: "connected" }] });
    expect(second.ready.server_name).toMatch(/^[a-z2-7]{52}$/);
    expect([first.ready.pid, second.ready.pid]).toEqual([first.child.pid, second.child.pid]);

    const alice = (await register(first, "alice")).json;
    expect(alice.user_id).toBe(`@alice:${NAMED}`);
    expect(
      (await ask(first, "GET", `${client}/admin/whois/@nobody:${NAMED}`, undefined, alice.access_token))
        .status,
    ).toBe(403);
    const { room_id: roomId } = (await ask(first, "POST", `${client}/createRoom`, {}, alice.access_token))
      .json;
    const made = await ask(
      first,
      "GET",
      `${client}/rooms/${roomId}/state/m.room.create`,
      undefined,
      alice.access_token,
    );
    expect(made.json.room_version).toBe("10");
    for (let n = 0; n < 4; n++) expect((await register(first, `user${n}`)).status).toBe(200);

    expect((await register(second, "stranger")).status).toBe(403);
    expect((await login(second, "olga", "the owner's")).status).toBe(200);
    const path = "/_synapse/admin/v1/register";
    const { nonce } = (await ask(second, "GET", path)).json;
    const signed = [nonce, "bot", "p w d", "notadmin"].join("\0");
    const mac = createHmac("sha1", "a shared secret").update(signed).digest("hex");
    const bot = await ask(second, "POST", path, { nonce, username: "bot", password: "p w d", mac });
    expect(bot).toMatchObject({ status: 200, json: { home_server: second.ready.server_name } });

    expect(await first.stop()).toBe(0);
    // Asleep, and known to be: nobody has to find out by waiting.
    const away = await relay.ask(NAMED, "GET", "/_matrix/federation/v1/query/profile?user_id=x");
    expect(away.status).toBe(404);
    const again = await start("one", "--server-name", NAMED);
    expect(again.ready.server_name).toBe(NAMED);
    expect(
      (await ask(again, "GET", `${client}/account/whoami`, undefined, alice.access_token)).json,
    ).toMatchObject({
      user_id: alice.user_id,
    });
    // What was not said this time is as it is without being said.
    expect((await register(again, "late")).status).toBe(403);
  });

  test("an application service's file counts, and counts anew when it changes", async () => {
    const file = join(folder, "irc.yaml");
    const write = (token: string) =>
      writeFile(
        file,
        [
          ...[
            "id: irc",
            "url: null",
            `as_token: ${token}`,
            "hs_token: what-the-homeserver-shows",
            "sender_localpart: irc",
          ],
          ...[
            "namespaces:",
            "  users: [{exclusive: true, regex: '@irc_.*'}]",
            "  aliases: []",
            "  rooms: []",
          ],
        ].join("\n"),
      );
    await write("first-token-of-the-service");
    const one = await start("one", "--app-service", file);
    const whoami = (token: string) => ask(one, "GET", `${client}/account/whoami`, undefined, token);
    expect((await whoami("first-token-of-the-service")).json).toMatchObject({
      user_id: `@irc:${one.ready.server_name}`,
    });
    await write("second-token-of-the-service");
    await expect
      .poll(async () => (await whoami("second-token-of-the-service")).status, { timeout: 20_000 })
      .toBe(200);
  });

  test("a browser that is gone is the end, with an exit code that says so", async () => {
    const one = await start("one");
    const [browser] = await childrenOf(one.ready.pid);
    process.kill(browser!, "SIGKILL");
    expect(await one.exit).toBe(1);
    expect(one.told()).toContain("the browser has ended");
  });

  test.each<[what: string, args: string[]]>([
    ["a room version of the future", ["--room-version", "99"]],
    ["a name that is none", ["--server-name", "Not A Name"]],
    ["a file that is not there", ["--app-service", "none.yaml"]],
  ])("%s is told in a sentence", async (_, args) => {
    const sentence = /"room_version" is to be|cannot be the name|none\.yaml cannot be read/;
    await expect(start("one", ...args)).rejects.toThrow(sentence);
  });

  test("a profile is one homeserver's: a second process does not start over it", async () => {
    await start("one");
    await expect(start("one")).rejects.toThrow("another browser has");
  });
});

/** The processes that a process has started. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").map(Number);
}
