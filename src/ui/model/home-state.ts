import type { BootState } from "../boot/boot.ts";

/** How this tab's client and the homeserver get on: not yet synced, synced, or trying again. */
export type Connection = "connecting" | "live" | "reconnecting";

export type HomeState = { words: string; tone: "good" | "busy" | "bad" };

/** The state of the homeserver in words, as the page shows it. */
export function homeState(boot: BootState, connection: Connection): HomeState {
  switch (boot.phase) {
    case "installing":
      return { words: "Setting up", tone: "busy" };
    case "starting":
      return { words: "Starting", tone: "busy" };
    case "reload-needed":
      return { words: "Needs a reload", tone: "bad" };
    case "failed":
      return { words: "Could not start", tone: "bad" };
    default:
      if (connection === "reconnecting") return { words: "Reconnecting", tone: "busy" };
      return {
        words: boot.phase === "ready" ? "Running in this tab" : "Running in another tab",
        tone: "good",
      };
  }
}

/** What the start-up is doing, as a sentence for someone who waits for it. */
export function bootSentence(boot: BootState): string {
  switch (boot.phase) {
    case "installing":
      return "Setting up the homeserver in this browser. This happens once.";
    case "starting":
      return "Starting your homeserver.";
    case "ready":
      return "Your homeserver is running in this tab.";
    case "following":
      return "Your homeserver is running in another tab.";
    case "reload-needed":
      return "A newer version of this page is ready. Reload to go on.";
    case "failed":
      return "The homeserver could not start.";
  }
}
