import type { ChannelKind } from "../../link/api.ts";
import type { KeeperState } from "./keeper.ts";

const ways: Record<ChannelKind, string> = {
  webtransport: "WebTransport",
  websocket: "WebSocket",
  fetch: "plain requests, as nothing faster gets through",
};

/** What a session has to tell beside being open. */
export type SessionState = {
  mail: "none" | "coming" | "stuck";
  problems: ReadonlyMap<string, string>;
};

/**
 * How a relay stands, in sentences.
 * @param now - milliseconds since 1970
 */
export function inWords(state: KeeperState, session: SessionState | undefined, now: number): string {
  switch (state.phase) {
    case "connecting":
      return "Connecting.";
    case "waiting":
      return `Not connected: ${sentence(state.reason)} It is tried again ${inTime(state.retryAt - now)}.`;
    case "refused":
      return `The relay refuses this homeserver: ${sentence(state.reason)}`;
    case "connected": {
      const time = state.roundTrip === undefined ? "" : `, ${Math.round(state.roundTrip)} ms there and back`;
      const mail = session?.mail === "coming" ? ["Mail is coming in."] : [];
      const problems = [...(session?.problems.values() ?? [])].map(sentence);
      return [`Connected by ${ways[state.kind]}${time}.`, ...mail, ...problems].join(" ");
    }
  }
}

function inTime(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 1) return "at once";
  if (seconds < 120) return `in ${seconds} seconds`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);
