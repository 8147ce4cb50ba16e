import { expect, test } from "vitest";
import { relayUrl } from "../../../src/matrix/relay-url.ts";
import { inWords } from "../../../src/worker-roomserver/relay/words.ts";

const session = (more: Partial<NonNullable<Parameters<typeof inWords>[1]>> = {}) => ({
  ...{ mail: "none" as const, problems: new Map<string, string>() },
  ...more,
});

test("how a relay stands is said in sentences", () => {
  expect(inWords({ phase: "connecting" }, undefined, 0)).toBe("Connecting.");
  expect(inWords({ phase: "waiting", retryAt: 5_000, reason: "nobody answers" }, undefined, 0)).toBe(
    "Not connected: nobody answers. It is tried again in 5 seconds.",
  );
  expect(inWords({ phase: "waiting", retryAt: 300_000, reason: "No!" }, undefined, 0)).toBe(
    "Not connected: No! It is tried again in 5 minutes.",
  );
  expect(inWords({ phase: "waiting", retryAt: 5, reason: "No." }, undefined, 60)).toBe(
    "Not connected: No. It is tried again at once.",
  );
  expect(inWords({ phase: "refused", reason: "it is full" }, undefined, 0)).toBe(
    "The relay refuses this homeserver: it is full.",
  );
  expect(inWords({ phase: "connected", kind: "websocket" }, undefined, 0)).toBe("Connected by WebSocket.");
  const busy = session({ mail: "coming", problems: new Map([["a", "It is full"]]) });
  expect(inWords({ phase: "connected", kind: "webtransport", roundTrip: 12.4 }, busy, 0)).toBe(
    "Connected by WebTransport, 12 ms there and back. Mail is coming in. It is full.",
  );
});

test("a relay is named by its origin, by https or on this machine", () => {
  expect(relayUrl(" relay.example.org ")).toBe("https://relay.example.org");
  expect(relayUrl("https://Relay.example.org:443/")).toBe("https://relay.example.org");
  expect(relayUrl("http://localhost:8008")).toBe("http://localhost:8008");
  for (const bad of [
    "",
    "http://relay.example.org",
    "ftp://a.example",
    "https://a.example/x",
    "https://u@a.example",
  ]) {
    expect(() => relayUrl(bad), bad).toThrow(expect.objectContaining({ errcode: "M_INVALID_PARAM" }));
  }
});
