import { describe, expect, test } from "vitest";
import { type Account, accountBook, accountName, parseAccounts } from "../../../src/ui/state/accounts.ts";

const account = (name: string, more: Partial<Account> = {}): Account => ({
  userId: `@${name}:example.org`,
  deviceId: `${name}-device`,
  accessToken: `${name}-token`,
  ...more,
});

function webStorage() {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}

/** One browser with as many tabs as are asked for. */
function browser() {
  const shared = webStorage();
  return { openTab: () => accountBook({ list: "list", choice: "choice" }, shared, webStorage()) };
}

const names = (accounts: Account[]) => accounts.map(accountName);

describe("accounts and tabs", () => {
  test("two tabs show two accounts side by side", () => {
    const { openTab } = browser();
    const [one, two] = [openTab(), openTab()];
    one.put(account("alice"));
    two.put(account("bob"));
    expect(one.current()?.userId).toBe("@alice:example.org");
    expect(two.current()?.userId).toBe("@bob:example.org");
    expect(names(one.list())).toEqual(["bob", "alice"]);
  });

  test("a new tab shows the account that was used last", () => {
    const { openTab } = browser();
    const first = openTab();
    expect(first.current()).toBeNull();
    first.put(account("alice"));
    first.put(account("bob"));
    expect(openTab().current()?.userId).toBe("@bob:example.org");
    first.select("@alice:example.org");
    expect(openTab().current()?.userId).toBe("@alice:example.org");
  });

  test("choosing whom nobody knows changes nothing", () => {
    const tab = browser().openTab();
    tab.put(account("alice"));
    tab.select("@eve:example.org");
    expect(tab.current()?.userId).toBe("@alice:example.org");
  });

  test("what is removed is gone from every tab", () => {
    const { openTab } = browser();
    const [one, two] = [openTab(), openTab()];
    one.put(account("alice"));
    two.put(account("bob"));
    two.remove("@alice:example.org");
    expect(one.current()?.userId).toBe("@bob:example.org");
    expect(names(one.list())).toEqual(["bob"]);
    one.remove("@bob:example.org");
    expect(one.current()).toBeNull();
  });

  test("a second login replaces the token and keeps a generated password", () => {
    const tab = browser().openTab();
    tab.put(account("alice", { generatedPassword: "secret" }));
    tab.put(account("alice", { accessToken: "new" }));
    expect(tab.list()).toEqual([account("alice", { accessToken: "new", generatedPassword: "secret" })]);
  });

  test("a display name is noted without a change of place or choice", () => {
    const tab = browser().openTab();
    tab.put(account("alice"));
    tab.put(account("bob"));
    tab.rename("@alice:example.org", "Alice");
    expect(names(tab.list())).toEqual(["bob", "Alice"]);
    expect(tab.current()?.userId).toBe("@bob:example.org");
  });
});

describe("a damaged list", () => {
  test.each([null, "", "{", "null", "{}", '"x"', "[null, 7, {}]"])("%j holds nobody", (text) => {
    expect(parseAccounts(text)).toEqual([]);
  });

  test("loses only what is damaged", () => {
    const broken = { ...account("bob"), accessToken: "" };
    expect(parseAccounts(JSON.stringify([broken, account("alice")]))).toEqual([account("alice")]);
  });
});
