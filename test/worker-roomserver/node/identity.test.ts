import { describe, expect, test, vi } from "vitest";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import { keyFromServerName } from "../../../src/matrix/identifiers.ts";
import { homeRelayOf } from "../../../src/worker-roomserver/node/home-relay.ts";
import { type AskHomeRelay, openIdentity } from "../../../src/worker-roomserver/node/identity.ts";
import { type TestStorage, testStorage } from "../support/storage.ts";
import { failNextCommit } from "../support/users.ts";

const home = { url: "https://relay.example", name: "relay.example", suffix: "relay.example" };
const identityOf = async (storage: TestStorage, homeRelay?: AskHomeRelay, ownersName?: string) =>
  openIdentity(storage, await chooseEd25519(crypto.subtle), homeRelay, ownersName);

describe("a node's name", () => {
  test("is its key, where the page's host is no relay", async () => {
    const storage = await testStorage();
    const { serverName, key } = await identityOf(storage, async () => undefined);
    expect(serverName).toMatch(/^[a-z2-7]{52}$/);
    expect(keyFromServerName(serverName)).toEqual(key.publicKey);
    expect(await storage.getAllKeys("relays")).toEqual([]);
  });

  test.each(["relay.example", "localhost:8008"])(
    "ends in %s where that relay has served the page",
    async (suffix) => {
      const storage = await testStorage();
      const { serverName, key } = await identityOf(storage, async () => ({ ...home, suffix }));
      expect(serverName.slice(52)).toBe(`.${suffix}`);
      expect(keyFromServerName(serverName)).toEqual(key.publicKey);
      expect(key.keyId).toBe(`ed25519:${serverName.slice(0, 8)}`);
      expect(await storage.get("relays", home.url)).toMatchObject({ name: "relay.example", added: "home" });
    },
  );

  test.each(["", ".x", "a b", "Relay.Example", "x".repeat(180), "relay.example/evil"])(
    "is not made with %j",
    async (suffix) => {
      const storage = await testStorage();
      const { serverName } = await identityOf(storage, async () => ({ ...home, suffix }));
      expect(serverName).toMatch(/^[a-z2-7]{52}$/);
      expect(await storage.get("relays", home.url)).toMatchObject({ added: "owner" });
    },
  );

  test("is its key where a relay has served the page that is nobody's home, and the relay is used", async () => {
    const storage = await testStorage();
    const { serverName } = await identityOf(storage, async () => ({ url: home.url, name: home.name }));
    expect(serverName).toMatch(/^[a-z2-7]{52}$/);
    expect(await storage.get("relays", home.url)).toMatchObject({ name: "relay.example", added: "owner" });
  });

  test("is decided once: nobody is asked at a later start", async () => {
    const storage = await testStorage();
    const bare = await identityOf(storage, async () => undefined);
    const asked = vi.fn(async () => home);
    expect((await identityOf(storage, asked)).serverName).toBe(bare.serverName);
    expect(asked).not.toHaveBeenCalled();
    const other = await testStorage();
    const named = await identityOf(other, async () => home);
    expect((await identityOf(other, async () => undefined)).serverName).toBe(named.serverName);
  });

  test("of a node from before there were relays stays", async () => {
    const storage = await testStorage();
    const seed = new Uint8Array(32).fill(3);
    await storage.commit((write) => write.put("meta", { seed }, "identity"));
    expect((await identityOf(storage, async () => home)).serverName).toMatch(/^[a-z2-7]{52}$/);
  });

  test.each(["example.org", "127.0.0.1:8448", "hs1"])(
    "is %s where its owner says so, and then for ever",
    async (name) => {
      const storage = await testStorage();
      const { serverName, key } = await identityOf(storage, async () => home, name);
      expect(serverName).toBe(name);
      // The relay that has served the page is used, but the name is not below its own.
      expect(await storage.get("relays", home.url)).toMatchObject({ name: "relay.example", added: "owner" });
      const again = await identityOf(storage, undefined, name);
      expect([again.serverName, again.key.keyId]).toEqual([name, key.keyId]);
      expect((await identityOf(storage)).serverName).toBe(name);
      await expect(identityOf(storage, undefined, "other.example")).rejects.toThrow("another profile");
    },
  );

  test.each([
    "",
    "Example.org",
    "a b",
    "https://example.org",
    "x".repeat(201),
    `${"a".repeat(52)}.example.org`,
  ])("cannot be %j: nothing is stored then", async (name) => {
    const storage = await testStorage();
    await expect(identityOf(storage, undefined, name)).rejects.toThrow("cannot be the name");
    expect(await storage.get("meta", "identity")).toBeUndefined();
  });

  test("that was its key stays so, whatever its owner wants later", async () => {
    const storage = await testStorage();
    const { serverName } = await identityOf(storage);
    await expect(identityOf(storage, undefined, "example.org")).rejects.toThrow(serverName);
  });

  test("is stored with the key, or neither is", async () => {
    const storage = await testStorage();
    failNextCommit(storage);
    await expect(identityOf(storage, async () => home)).rejects.toThrow();
    expect(await storage.get("meta", "identity")).toBeUndefined();
    expect(await storage.getAllKeys("relays")).toEqual([]);
    expect((await identityOf(storage, async () => home)).serverName).toMatch(/\.relay\.example$/);
  });
});

describe("whether the host of the page is a relay", () => {
  const asked = (answer: () => Response | Promise<Response>) =>
    homeRelayOf("https://relay.example", async () => answer())();

  test("it says so itself", async () => {
    const ask = vi.fn(async () => Response.json({ name: "relay.example", home_suffix: "relay.example" }));
    expect(await homeRelayOf("https://relay.example", ask)()).toEqual(home);
    expect(ask).toHaveBeenCalledWith("https://relay.example/_relay/v1/info", expect.anything());
  });

  test.each<[string, () => Response | Promise<Response>]>([
    ["is not there", () => new Response("", { status: 404 })],
    ["is a page", () => new Response("<html>", { headers: { "Content-Type": "text/html" } })],
    ["is no JSON", () => new Response("{", { headers: { "Content-Type": "application/json" } })],
    ["is null", () => Response.json(null)],
    ["has no name", () => Response.json({ home_suffix: "relay.example" })],
    ["has no end", () => Response.json({ home_suffix: "x", more: "x".repeat(70_000) })],
    ["cannot be reached", () => Promise.reject(new TypeError("no network"))],
  ])("it is none when what it says %s", async (_, answer) => {
    expect(await asked(answer)).toBeUndefined();
  });

  test("it may take no nodes as their home", async () => {
    const answer = () => Response.json({ name: "relay.example" });
    expect(await asked(answer)).toEqual({ url: home.url, name: home.name });
  });

  test("it is none when it does not answer in time", async () => {
    vi.spyOn(AbortSignal, "timeout").mockImplementationOnce(() => AbortSignal.abort());
    const ask = async (_: string, { signal }: RequestInit) => {
      signal?.throwIfAborted();
      return Response.json({ home_suffix: "relay.example" });
    };
    expect(await homeRelayOf("https://relay.example", ask)()).toBeUndefined();
  });
});
