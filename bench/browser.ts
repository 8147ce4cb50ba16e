import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { chromiumFlags, ensureChromium } from "../scripts/support/chromium.mjs";

/*
 * Chromium for measurements. A test library watches every request of a page, which makes a fetch that the service
 * worker answers nearly twice as slow as it is for a user; so the bench speaks the DevTools protocol itself, over the
 * pipe that Chromium offers, and uses of it only what runs scripts.
 */

type Message = {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
};

/** Asks something of DevTools, about one page or worker. */
type Ask = (method: string, params?: object) => Promise<unknown>;

/** Runs a function in a page or worker; it stands alone, and its argument and answer cross as JSON. */
type Evaluate = <A, R>(run: (argument: A) => R | Promise<R>, argument: A) => Promise<R>;

export type BenchWorker = { ask: Ask; evaluate: Evaluate };

export type BenchPage = {
  evaluate: Evaluate;
  /** The way to the one dedicated worker that the page has started. */
  worker(): Promise<BenchWorker>;
  /** The way to the browser's one service worker. */
  serviceWorker(): Promise<BenchWorker>;
};

export type BenchBrowser = {
  /** @param atStart - runs before any script of the page, with its argument */
  open<A>(url: string, atStart?: { run: (argument: A) => void; argument: A }): Promise<BenchPage>;
  close(): Promise<void>;
};

/** @param profileDir - what the browser stores lasts there; without it, it goes with the browser */
export async function startBrowser(profileDir?: string): Promise<BenchBrowser> {
  const profile = profileDir ?? (await mkdtemp(join(tmpdir(), "hearth-bench-")));
  const child = spawn(
    await ensureChromium(),
    [
      ...chromiumFlags,
      "--headless=new",
      "--remote-debugging-pipe",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const devTools = new DevTools(child.stdio[3] as Writable, child.stdio[4] as Readable);
  return {
    open: (url, atStart) => openPage(devTools, url, atStart && call(atStart.run, atStart.argument)),
    close: async () => {
      await devTools.send("Browser.close");
      await ended;
      if (profileDir === undefined) await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const call = <A>(run: (argument: A) => unknown, argument: A) => `(${run})(${JSON.stringify(argument)})`;

async function openPage(devTools: DevTools, url: string, atStart: string | undefined): Promise<BenchPage> {
  const { targetId } = (await devTools.send("Target.createTarget", { url: "about:blank" })) as {
    targetId: string;
  };
  const { sessionId } = (await devTools.send("Target.attachToTarget", { targetId, flatten: true })) as {
    sessionId: string;
  };
  await devTools.send("Page.enable", {}, sessionId);
  if (atStart !== undefined) {
    await devTools.send("Page.addScriptToEvaluateOnNewDocument", { source: atStart }, sessionId);
  }
  await devTools.send("Page.navigate", { url }, sessionId);
  const reach = (session: string): BenchWorker => {
    const ask: Ask = (method, params) => devTools.send(method, params, session);
    return { ask, evaluate: evaluating(ask) };
  };
  return {
    evaluate: reach(sessionId).evaluate,
    worker: async () => {
      // Those that are there already are told of before the answer comes.
      const workers: string[] = [];
      const stop = devTools.onAttached(sessionId, (session, type) => {
        if (type === "worker") workers.push(session);
      });
      await devTools.send(
        "Target.setAutoAttach",
        { autoAttach: true, waitForDebuggerOnStart: false, flatten: true },
        sessionId,
      );
      stop();
      const [worker] = workers;
      if (worker === undefined) throw new Error("The page has no worker.");
      return reach(worker);
    },
    serviceWorker: async () => {
      const { targetInfos } = (await devTools.send("Target.getTargets")) as {
        targetInfos: { targetId: string; type: string }[];
      };
      const found = targetInfos.find(({ type }) => type === "service_worker");
      if (found === undefined) throw new Error("There is no service worker.");
      const { targetId } = found;
      const attached = await devTools.send("Target.attachToTarget", { targetId, flatten: true });
      return reach((attached as { sessionId: string }).sessionId);
    },
  };
}

function evaluating(ask: Ask): Evaluate {
  return async (run, argument) => {
    const expression = call(run, argument);
    const answer = (await ask("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as {
      result: { value: never };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    const failure = answer.exceptionDetails;
    if (failure !== undefined) throw new Error(failure.exception?.description ?? failure.text);
    return answer.result.value;
  };
}

/** Requests and answers over Chromium's pipe: JSON texts with a NUL after each. */
class DevTools {
  readonly #to: Writable;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (why: Error) => void }>();
  readonly #attached = new Map<string, (sessionId: string, type: string) => void>();
  #last = 0;
  #text = "";

  constructor(to: Writable, from: Readable) {
    this.#to = to;
    from.setEncoding("utf8");
    from.on("data", (chunk: string) => this.#take(chunk));
    from.on("close", () => this.#fail(new Error("Chromium has gone.")));
    to.on("error", (error) => this.#fail(error));
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    const id = ++this.#last;
    this.#to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Called with session and type of whatever is attached to on behalf of another. @returns how to stop that */
  onAttached(parent: string, listener: (sessionId: string, type: string) => void): () => void {
    this.#attached.set(parent, listener);
    return () => this.#attached.delete(parent);
  }

  #take(chunk: string): void {
    const texts = (this.#text + chunk).split("\0");
    this.#text = texts.pop() ?? "";
    for (const text of texts) {
      const { id, sessionId, method, params, result, error } = JSON.parse(text) as Message;
      if (method === "Target.attachedToTarget" && sessionId !== undefined) {
        const { sessionId: attached, targetInfo } = params as {
          sessionId: string;
          targetInfo: { type: string };
        };
        this.#attached.get(sessionId)?.(attached, targetInfo.type);
      }
      const waiting = id === undefined ? undefined : this.#waiting.get(id);
      if (id === undefined || waiting === undefined) continue;
      this.#waiting.delete(id);
      if (error === undefined) waiting.resolve(result);
      else waiting.reject(new Error(error.message));
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
