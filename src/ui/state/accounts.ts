import { shortName } from "../model/names.ts";

/** One signed-in account of this browser. */
export type Account = {
  userId: string;
  deviceId: string;
  accessToken: string;
  /** What others see; absent until the homeserver has been asked for it. */
  displayName?: string;
  /** Only for accounts made without a chosen password: nobody else knows it, so it must not get lost. */
  generatedPassword?: string;
};

/** Where the accounts are kept: the list for the whole browser, the choice for one tab. */
export type AccountBook = {
  /** The name in localStorage whose changes in other tabs concern the list. */
  readonly listKey: string;
  /** Most recently used first. */
  list(): Account[];
  /** The account this tab shows: its own choice, else the one used last in this browser, else null. */
  current(): Account | null;
  /**
   * Adds the account and makes it this tab's choice. What was known about one with the same user id stays
   * where the new one is silent: a second login must not lose a generated password.
   */
  put(account: Account): void;
  /** Notes what others see of an account. */
  rename(userId: string, displayName: string): void;
  /** Makes an account this tab's choice; an unknown user id changes nothing. */
  select(userId: string): void;
  remove(userId: string): void;
};

type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * @param keys - under which names the list and a tab's choice are kept
 * @param browser - localStorage: shared by all tabs
 * @param tab - sessionStorage: each tab remembers which account it shows, so that two work side by side
 */
export function accountBook(
  keys: { list: string; choice: string },
  browser: KeyValue,
  tab: KeyValue,
): AccountBook {
  const list = () => parseAccounts(browser.getItem(keys.list));
  const save = (accounts: Account[]) => browser.setItem(keys.list, JSON.stringify(accounts));
  const moveToFront = (account: Account) => {
    save([account, ...list().filter((other) => other.userId !== account.userId)]);
    tab.setItem(keys.choice, account.userId);
  };
  const find = (userId: string | null) => list().find((account) => account.userId === userId);
  return {
    listKey: keys.list,
    list,
    current() {
      return find(tab.getItem(keys.choice)) ?? list()[0] ?? null;
    },
    put(account) {
      moveToFront({ ...find(account.userId), ...account });
    },
    rename(userId, displayName) {
      save(list().map((account) => (account.userId === userId ? { ...account, displayName } : account)));
    },
    select(userId) {
      const account = find(userId);
      if (account) moveToFront(account);
    },
    remove(userId) {
      save(list().filter((account) => account.userId !== userId));
      if (tab.getItem(keys.choice) === userId) tab.removeItem(keys.choice);
    },
  };
}

/** What is not an account is left out: a damaged entry must not lock a user out of the others. */
export function parseAccounts(text: string | null): Account[] {
  if (text === null) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isAccount) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** What the page calls an account. */
export function accountName(account: Account): string {
  return account.displayName || shortName(account.userId);
}

function isAccount(value: unknown): value is Account {
  if (typeof value !== "object" || value === null) return false;
  const { userId, deviceId, accessToken } = value as Partial<Account>;
  return [userId, deviceId, accessToken].every((part) => typeof part === "string" && part !== "");
}
