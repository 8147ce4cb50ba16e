import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import type { Storage } from "../../storage/api.ts";
import type { AccountRow } from "../../storage/schema.ts";
import type { UserCounts, UserFilter, UserListing } from "./api.ts";

/** Accounts that are read together. */
const PIECE = 200;
/** Accounts that are looked at for one page, so that a filter that fits nobody costs no more than this. */
export const mostLookedAt = 2_000;
const mostListed = 200;
const COUNTED = 1_000;

export type Listed = { account: AccountRow; profile: JsonObject };

/** See UsersConsole.list. */
export async function listUsers(
  storage: Storage,
  filter: UserFilter,
  page: { from?: string | undefined; limit: number },
): Promise<{ users: UserListing[]; next_batch?: string }> {
  const limit = Math.min(Math.max(1, page.limit), mostListed);
  const users: UserListing[] = [];
  let after = page.from;
  for (let lookedAt = 0; lookedAt < mostLookedAt; lookedAt += PIECE) {
    const piece = await accountsAfter(storage, after);
    for (const listed of piece) {
      after = listed.account.userId;
      const user = listing(listed);
      if (!fits(user, filter)) continue;
      users.push(user);
      if (users.length === limit) return { users, next_batch: after };
    }
    if (piece.length < PIECE) return { users };
  }
  return { users, ...(after !== undefined && { next_batch: after }) };
}

/** Reads all accounts. */
export async function countUsers(storage: Storage): Promise<UserCounts> {
  const counts: UserCounts = {
    ...{ users: 0, guests: 0, appservice_users: 0 },
    ...{ admins: 0, locked: 0, suspended: 0, deactivated: 0 },
  };
  for await (const account of allAccounts(storage)) {
    if (account.deactivated) {
      counts.deactivated += 1;
      continue;
    }
    counts[countOf[account.kind]] += 1;
    if (account.admin) counts.admins += 1;
    if (account.locked) counts.locked += 1;
    if (account.suspended) counts.suspended += 1;
  }
  return counts;
}

const countOf = { user: "users", guest: "guests", appservice: "appservice_users" } as const;

/** All accounts by user id, some at a time. */
export async function* allAccounts(storage: Storage): AsyncGenerator<AccountRow> {
  let range: IDBKeyRange | undefined;
  for (;;) {
    const rows = await storage.getAll("accounts", range, COUNTED);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < COUNTED) return;
    range = IDBKeyRange.lowerBound(last.userId, true);
  }
}

export function listing({ account, profile }: Listed): UserListing {
  const { userId, kind, createdAt, admin, locked = false, suspended = false, deactivated } = account;
  const { displayname } = profile;
  return {
    user_id: userId,
    kind,
    ...(typeof displayname === "string" && { displayname }),
    created_ts: createdAt,
    admin,
    locked,
    suspended,
    deactivated,
  };
}

/** A profile as it is stored; of an account that has none, an empty one. */
export function profileOf(json: string | undefined): JsonObject {
  const profile: unknown = json === undefined ? {} : JSON.parse(json);
  return isJsonObject(profile) ? profile : {};
}

async function accountsAfter(storage: Storage, after: string | undefined): Promise<Listed[]> {
  const range = after === undefined ? undefined : IDBKeyRange.lowerBound(after, true);
  const accounts = await storage.getAll("accounts", range, PIECE);
  const first = accounts[0];
  const last = accounts.at(-1);
  if (first === undefined || last === undefined) return [];
  const same = IDBKeyRange.bound(first.userId, last.userId);
  const [keys, rows] = await Promise.all([
    storage.getAllKeys("profiles", same),
    storage.getAll("profiles", same),
  ]);
  const profiles = new Map(keys.map((key, i) => [key, rows[i]?.json]));
  return accounts.map((account) => ({ account, profile: profileOf(profiles.get(account.userId)) }));
}

function fits(user: UserListing, { search, ...flags }: UserFilter): boolean {
  for (const [name, wanted] of Object.entries(flags)) {
    if (wanted !== undefined && user[name as keyof typeof flags] !== wanted) return false;
  }
  if (search === undefined) return true;
  const wanted = search.toLowerCase();
  return [user.user_id, user.displayname].some((text) => text?.toLowerCase().includes(wanted));
}
