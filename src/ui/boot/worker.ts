import type { FromWorker, HostAnswer, HostQuestion, ToWorker } from "./messages.ts";

export type WorkerEnd =
  | { why: "fenced" }
  | { why: "superseded" }
  | { why: "lost" }
  | { why: "failed"; message: string };

/** The dedicated worker that is the homeserver, as long as this page leads. */
export type HomeserverWorker = {
  /** Its epoch, once it leads. Stays pending if it never does: see `ended`. */
  ready: Promise<number>;
  /** Settles when it must not be used any more. It has then been terminated. */
  ended: Promise<WorkerEnd>;
  /** Makes a new way to call it. */
  openPort(): MessagePort;
  /** Tells it that the browser is about to stop it, or lets it go on. */
  setAsleep(asleep: boolean): void;
  /** For the host: what the owner's API answers. Once it is ready. */
  ask(question: HostQuestion): Promise<HostAnswer>;
  /** The same as `setAsleep(true)`. @returns once all relays that could be told know it */
  sleep(): Promise<void>;
};

/** @param host - what the host of this page wants; undefined where it has none */
export function startWorker(dbName: string, host: object | undefined): HomeserverWorker {
  const worker = new Worker(new URL("../../worker-roomserver/main.ts", import.meta.url), { type: "module" });
  const send = (message: ToWorker, ports: MessagePort[] = []) => worker.postMessage(message, ports);
  const onMessage = (listener: (message: FromWorker) => void) =>
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => listener(data));

  const ready = new Promise<number>((resolve) => {
    onMessage((message) => message.type === "ready" && resolve(message.epoch));
  });
  const ended = new Promise<WorkerEnd>((resolve) => {
    const end = (how: WorkerEnd) => {
      worker.terminate();
      resolve(how);
    };
    const onLoadError = (event: ErrorEvent) =>
      end({ why: "failed", message: event.message || "The worker's script could not be loaded." });
    worker.addEventListener("error", onLoadError);
    onMessage((message) => {
      // Once it runs, an error that nobody caught is in the console and concerns one request at most.
      if (message.type === "ready") worker.removeEventListener("error", onLoadError);
      else if (message.type === "failed") end({ why: "failed", message: message.message });
      else end({ why: message.why });
    });
  });
  const answered = <T>(message: ToWorker): Promise<T> =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }: MessageEvent<T>) => resolve(data);
      send(message, [port2]);
    });
  send({ type: "open", dbName, ...(host !== undefined && { host }) });
  return {
    ready,
    ended,
    setAsleep: (asleep) => send({ type: "asleep", asleep }),
    ask: (question) => answered<HostAnswer>({ type: "ask", question }),
    sleep: () => answered<void>({ type: "sleep" }),
    openPort() {
      const { port1, port2 } = new MessageChannel();
      send({ type: "port" }, [port1]);
      return port2;
    },
  };
}
