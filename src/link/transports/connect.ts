import type { ByteChannel, ChannelKind } from "../api.ts";
import type { RelayInfo } from "../relay-api.ts";
import { connectFetch } from "./fetch.ts";
import { connectWebSocket } from "./websocket.ts";
import { connectWebTransport } from "./webtransport.ts";

/** Where a relay can be reached: of its `GET /info`. */
export type LinkAddresses = RelayInfo["link"];

/** How this relay can be tried from here, the best way first. */
export function kindsFor({ webtransport }: LinkAddresses): ChannelKind[] {
  const others: ChannelKind[] = ["websocket", "fetch"];
  return webtransport !== undefined && typeof WebTransport === "function"
    ? ["webtransport", ...others]
    : others;
}

/** @throws whatever keeps it from opening, the signal's reason included; it may take for ever */
export async function connectChannel(
  kind: ChannelKind,
  addresses: LinkAddresses,
  signal: AbortSignal,
): Promise<ByteChannel> {
  const { webtransport, websocket, fetch } = addresses;
  switch (kind) {
    case "websocket":
      return connectWebSocket(websocket, signal);
    case "fetch":
      return connectFetch(fetch, signal);
    case "webtransport":
      if (webtransport === undefined) throw new Error("The relay has no WebTransport.");
      return connectWebTransport(webtransport.url, webtransport.certificate_hashes, signal);
  }
}
