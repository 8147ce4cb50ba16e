import { forbidden } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { UiaChallenge } from "./api.ts";
import { newSecret } from "./tokens.ts";

const keptMs = 60 * 60_000;
const maxSessions = 1_000;

/**
 * One way to authenticate a request, each a flow of its own.
 * `refusal`: resolves with undefined when `auth` is good, else with a sentence that says why it is not.
 */
export type Stage = { type: string; refusal: (auth: JsonObject) => Promise<string | undefined> };

/** The request may be carried out; `end` goes into its unit, so that a session serves once. */
export type Passed = { end: (write: Write) => void };

/**
 * User-interactive authentication. Every flow here has one stage, so that a session carries no progress: only what
 * it was opened for, which it then serves for and for nothing else.
 * @see https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export class Uia {
  readonly #storage: Storage;
  readonly #now: () => number;
  /** When each session was opened, oldest first. */
  readonly #opened: Map<string, number>;

  private constructor(storage: Storage, now: () => number, opened: Map<string, number>) {
    this.#storage = storage;
    this.#now = now;
    this.#opened = opened;
  }

  static async open(storage: Storage, now: () => number): Promise<Uia> {
    const [sessions, rows] = await storage.read(["uia"], (tx) => {
      const store = tx.objectStore("uia");
      return Promise.all([store.getAllKeys(), store.getAll()]);
    });
    const opened = sessions.map((session, i): [string, number] => [session, rows[i]!.createdAt]);
    return new Uia(storage, now, new Map(opened.sort(([, a], [, b]) => a - b)));
  }

  /**
   * @param purpose - what is asked for and by whom
   * @param auth - the request's `auth`. One without a session is taken too, as other servers do.
   * @throws MatrixError M_FORBIDDEN 403 for a session that was opened for something else
   */
  async attempt(
    purpose: string,
    stages: readonly Stage[],
    auth: JsonObject | undefined,
  ): Promise<Passed | UiaChallenge> {
    const session = auth?.session;
    if (typeof session !== "string") return this.#try(purpose, stages, auth, undefined);
    const row = await this.#storage.get("uia", session);
    if (row === undefined || this.#now() - row.createdAt >= keptMs) {
      return this.#challenge(
        purpose,
        stages,
        undefined,
        "The session is unknown or too old: here is another.",
      );
    }
    if (row.purpose !== purpose) throw forbidden("This session was opened for a different request.");
    return this.#try(purpose, stages, auth, session);
  }

  async #try(
    purpose: string,
    stages: readonly Stage[],
    auth: JsonObject | undefined,
    session: string | undefined,
  ): Promise<Passed | UiaChallenge> {
    if (auth?.type === undefined) return this.#challenge(purpose, stages, session);
    const stage = stages.find(({ type }) => type === auth.type);
    const refusal =
      stage === undefined ? "This is not a way to authenticate this request." : await stage.refusal(auth);
    if (refusal !== undefined) return this.#challenge(purpose, stages, session, refusal);
    return {
      end: (write) => {
        if (session !== undefined) write.delete("uia", session);
      },
    };
  }

  async #challenge(
    purpose: string,
    stages: readonly Stage[],
    session: string | undefined,
    refusal?: string,
  ): Promise<UiaChallenge> {
    return {
      uia: {
        flows: stages.map(({ type }) => ({ stages: [type] })),
        params: {},
        session: session ?? (await this.#openSession(purpose)),
        ...(refusal !== undefined && { errcode: "M_FORBIDDEN", error: refusal }),
      },
    };
  }

  /** Anyone can ask for a session, so there are only so many: the oldest make room. */
  async #openSession(purpose: string): Promise<string> {
    const session = newSecret("hearth_uia");
    const now = this.#now();
    const over: string[] = [];
    for (const [old, createdAt] of this.#opened) {
      if (now - createdAt < keptMs && this.#opened.size - over.length < maxSessions) break;
      over.push(old);
    }
    for (const old of over) this.#opened.delete(old);
    this.#opened.set(session, now);
    await this.#storage.commit(
      (write) => {
        for (const old of over) write.delete("uia", old);
        write.put("uia", { purpose, createdAt: now }, session);
      },
      { relaxed: true }, // after a power cut the client is given another
    );
    return session;
  }
}
