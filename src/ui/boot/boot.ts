import { hostOfPage, serveHost } from "./host.ts";
import { keepAwake } from "./keep-awake.ts";
import { type EndOfLead, takePart } from "./leadership.ts";
import {
  activated,
  onServiceWorkerMessage,
  registerServiceWorker,
  takenOver,
  tell,
} from "./service-worker.ts";
import { watchSleep } from "./sleep.ts";
import { startWorker, type WorkerEnd } from "./worker.ts";

/**
 * How far the homeserver is.
 * - `installing`: the service worker is being registered; only the first visit takes time.
 * - `starting`: this tab leads, and its worker opens the database.
 * - `ready`: it runs in this tab. `following`: it runs in another one.
 * - `reload-needed`: this page cannot go on as it is: a newer version has taken over, or the browser keeps it
 *   from its service worker.
 * - `failed`: `detail` says why, in a sentence for people.
 */
export type BootState = {
  phase: "installing" | "starting" | "ready" | "following" | "reload-needed" | "failed";
  detail?: string;
};
type Report = (state: BootState) => void;

/**
 * Brings the homeserver of this folder up, in this tab or in another, and keeps it up as tabs come and go.
 * Everything shared is named after the folder, so that two on one origin are two homeservers.
 * @returns once requests to `baseUrl` are answered; `baseUrl` has no slash at its end
 * @throws Error when there can be no homeserver here; `onState` has been told `failed` or `reload-needed`
 */
export function startHearth({ onState }: { onState: Report }): Promise<{ baseUrl: string }> {
  return new Promise((resolve, reject) => {
    const report: Report = (state) => {
      onState(state);
      hostOfPage?.onState(state);
      if (state.phase === "failed" || state.phase === "reload-needed") reject(new Error(state.detail));
    };
    report({ phase: "installing" });
    bringUp(new URL("./", document.baseURI), report).then(
      (baseUrl) => resolve({ baseUrl }),
      (error: unknown) =>
        report({ phase: "failed", detail: error instanceof Error ? error.message : String(error) }),
    );
  });
}

async function bringUp(scope: URL, report: Report): Promise<string> {
  const registration = await registerServiceWorker(scope);
  const elected = takePartInElection(scope.pathname, registration, report);
  if (!(await takenOver(registration))) {
    report({
      phase: "reload-needed",
      detail: "The browser has loaded this page past its service worker: please load it again.",
    });
  }
  await elected;
  return scope.href.replace(/\/$/, "");
}

/** For good. @returns once this tab leads with its worker ready, or another tab leads */
function takePartInElection(
  scopePath: string,
  registration: ServiceWorkerRegistration,
  report: Report,
): Promise<void> {
  return new Promise((settle, fail) => {
    /** Hands the service worker a port to this tab's worker; does nothing while there is none. */
    let givePort = (): void => undefined;
    answerServiceWorker(`hearth:${scopePath}`, registration, () => givePort());

    const lead = async (): Promise<EndOfLead> => {
      report({ phase: "starting" });
      const worker = startWorker(`hearth:${scopePath}`, hostOfPage?.wishes);
      const give = (epoch: number, to: ServiceWorker) =>
        tell(to, { type: "port", epoch }, [worker.openPort()]);
      worker.ready
        .then(async (epoch) => {
          give(epoch, await activated(registration));
          // Whoever asks later may be a newer version of the service worker.
          givePort = () => give(epoch, registration.active!);
          serveHost(worker);
          report({ phase: "ready" });
          settle();
        })
        .catch(fail);
      const stopWatching = watchSleep((asleep) => worker.setAsleep(asleep));
      const end = await worker.ended;
      stopWatching();
      givePort = () => undefined;
      if (end.why === "fenced") return "again";
      report(stateAfter(end));
      return "for good";
    };
    const follow = () => {
      report({ phase: "following" });
      settle();
    };
    takePart(`hearth-leader:${scopePath}`, lead, follow).catch(fail);
  });
}

function answerServiceWorker(
  channel: string,
  registration: ServiceWorkerRegistration,
  givePort: () => void,
): void {
  const awake = keepAwake(() => {
    if (registration.active !== null) tell(registration.active, { type: "awake" });
  });
  let lastAsk = "";
  onServiceWorkerMessage(channel, (message) => {
    if (message.type === "busy") awake.busy();
    else if (message.type === "idle") awake.idle();
    else if (message.type === "needPort" && message.ask !== lastAsk) {
      lastAsk = message.ask; // the same question comes by two ways
      givePort();
    }
  });
}

function stateAfter(end: Exclude<WorkerEnd, { why: "fenced" }>): BootState {
  switch (end.why) {
    case "superseded":
      return { phase: "reload-needed", detail: "A newer version of Hearth has been opened in another tab." };
    case "lost":
      // Never a blank server under an old name: someone has to see this first.
      return { phase: "failed", detail: "The browser has taken away this homeserver's storage." };
    case "failed":
      return { phase: "failed", detail: end.message };
  }
}
