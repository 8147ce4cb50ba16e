import type { MatrixClient } from "matrix-js-sdk/lib/matrix.js";
import type { BootState, startHearth } from "../boot/boot.ts";
import { explainError } from "../model/explain-error.ts";
import type { Connection } from "../model/home-state.ts";
import { localpartFor } from "../model/names.ts";
import type { Account, AccountBook } from "./accounts.ts";
import { forgetDrafts } from "./drafts.ts";
import type { OpenedClient } from "./open-client.ts";
import { createStore, type Store } from "./store.ts";

declare global {
  interface Window {
    /** For people who tinker: the MatrixClient of this tab, from the browser's console. */
    hearthClient?: MatrixClient | undefined;
  }
}

export type SessionState = {
  boot: BootState;
  accounts: readonly Account[];
  /** The account this tab shows; null while there is none. */
  account: Account | null;
  /** Null until the account's client has been created. */
  client: MatrixClient | null;
  connection: Connection;
  /** Another account is being added; the current one goes on meanwhile. */
  adding: boolean;
  /** A sentence about something that happened without being asked for, such as a login that ended. */
  notice: string | null;
};

/**
 * The one place that knows who is signed in here and how the homeserver is doing. What needs matrix-js-sdk is
 * imported when it is needed, so that the first paint does not wait for it.
 */
export class Session {
  readonly store: Store<SessionState>;
  readonly #book: AccountBook;
  readonly #startHearth: typeof startHearth;
  #homeserver: Promise<{ baseUrl: string }> = Promise.reject(new Error("start() comes first"));
  #opened: OpenedClient | null = null;
  /** Counts openings, so that one that was overtaken by another closes itself. */
  #openings = 0;

  constructor(book: AccountBook, start: typeof startHearth) {
    this.#book = book;
    this.#startHearth = start;
    this.#homeserver.catch(() => undefined);
    this.store = createStore<SessionState>({
      boot: { phase: "starting" },
      accounts: book.list(),
      account: book.current(),
      client: null,
      connection: "connecting",
      adding: false,
      notice: null,
    });
  }

  /** Starts the homeserver and, when somebody is signed in, their client. Call it once. */
  start(): void {
    this.#homeserver = this.#startHearth({ onState: (boot) => this.#followBoot(boot) });
    this.#homeserver.catch((error: unknown) => {
      // Where it can, the start-up has said by itself what is wrong, and what helps.
      const { phase } = this.store.get().boot;
      if (phase === "failed" || phase === "reload-needed") return;
      this.store.set({ boot: { phase: "failed", detail: explainError(error) } });
    });
    window.addEventListener("storage", (event) => {
      if (event.key === this.#book.listKey || event.key === null) this.#followOtherTabs();
    });
    const { account } = this.store.get();
    if (account) void this.#open(account);
  }

  /**
   * Creates an account on this homeserver and shows it.
   * @param name - what others see; the user id is derived from it
   * @param password - the empty string to have one generated
   */
  async signUp(name: string, password: string): Promise<void> {
    const { baseUrl } = await this.#homeserver;
    const localpart = localpartFor(name);
    const { register } = await import("./credentials.ts");
    const account = await register(baseUrl, localpart, password);
    await this.#adopt(account);
    if (name.trim() === localpart) return;
    try {
      await this.rename(name.trim());
    } catch (error) {
      this.store.set({ notice: `Your name could not be set: ${explainError(error)}` });
    }
  }

  async signIn(user: string, password: string): Promise<void> {
    const { baseUrl } = await this.#homeserver;
    const { signIn } = await import("./credentials.ts");
    await this.#adopt(await signIn(baseUrl, user.trim(), password));
  }

  /** Shows another account in this tab. */
  async switchTo(userId: string): Promise<void> {
    const account = this.#book.list().find((known) => known.userId === userId);
    if (account) await this.#open(account);
  }

  /** Changes what others see of the account in view. */
  async rename(displayName: string): Promise<void> {
    const { account, client } = this.store.get();
    if (!account || !client) return;
    await client.setDisplayName(displayName);
    this.#noteName(account.userId, displayName);
  }

  startAdding(): void {
    this.store.set({ adding: true });
  }

  stopAdding(): void {
    this.store.set({ adding: false });
  }

  dismissNotice(): void {
    this.store.set({ notice: null });
  }

  /** Ends the login of the account this tab shows, here and on the homeserver. */
  async signOut(): Promise<void> {
    const { account, client } = this.store.get();
    if (!account) return;
    try {
      await client?.logout(true);
    } catch (error) {
      this.store.set({ notice: `Signed out here, but not on the homeserver: ${explainError(error)}` });
    }
    this.#forget(account);
  }

  async #adopt(account: Account): Promise<void> {
    this.#book.put(account);
    await this.#open(account);
  }

  async #open(account: Account): Promise<void> {
    const opening = ++this.#openings;
    this.#close();
    // Also where nobody chose it: a reload must find it, though another tab has chosen another since.
    this.#book.select(account.userId);
    this.store.set({
      account,
      accounts: this.#book.list(),
      adding: false,
      connection: "connecting",
    });
    try {
      const { baseUrl } = await this.#homeserver;
      if (opening !== this.#openings) return;
      const { openClient } = await import("./open-client.ts");
      const opened = await openClient(baseUrl, account, {
        onConnection: (connection) => opening === this.#openings && this.store.set({ connection }),
        onSignedOut: () => opening === this.#openings && this.#loginEnded(account),
      });
      if (opening !== this.#openings) return opened.close();
      this.#opened = opened;
      window.hearthClient = opened.client;
      this.store.set({ client: opened.client });
      if (account.displayName === undefined) void this.#askForName(opened.client, account.userId);
    } catch (error) {
      if (opening === this.#openings) this.store.set({ notice: explainError(error) });
    }
  }

  async #askForName(client: MatrixClient, userId: string): Promise<void> {
    try {
      const { displayname } = await client.getProfileInfo(userId, "displayname");
      if (displayname) this.#noteName(userId, displayname);
    } catch (error) {
      console.debug("no display name yet", error);
    }
  }

  #noteName(userId: string, displayName: string): void {
    this.#book.rename(userId, displayName);
    const accounts = this.#book.list();
    const current = this.store.get().account;
    const account = accounts.find((candidate) => candidate.userId === current?.userId) ?? current;
    this.store.set({ accounts, account });
  }

  #close(): void {
    this.#opened?.close();
    this.#opened = null;
    window.hearthClient = undefined;
    this.store.set({ client: null });
  }

  #loginEnded(account: Account): void {
    this.store.set({ notice: "This login has ended. Sign in again to go on." });
    this.#forget(account);
  }

  #forget(account: Account): void {
    this.#openings++;
    this.#close();
    this.#book.remove(account.userId);
    forgetDrafts(account.userId);
    location.hash = "#/";
    const next = this.#book.current();
    if (next) void this.#open(next);
    else this.store.set({ account: null, accounts: [], adding: false, connection: "connecting" });
  }

  #followBoot(boot: BootState): void {
    this.store.set({ boot });
    const answersAgain = boot.phase === "ready" || boot.phase === "following";
    if (answersAgain && this.store.get().connection === "reconnecting")
      this.#opened?.client.retryImmediately();
  }

  /** Another tab added an account or signed one out. */
  #followOtherTabs(): void {
    const accounts = this.#book.list();
    this.store.set({ accounts });
    const { account } = this.store.get();
    if (account && !accounts.some((other) => other.userId === account.userId)) this.#forget(account);
  }
}
