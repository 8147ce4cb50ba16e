import { RELAY_API, type RelayInfo } from "../link/relay-api.ts";
import { type Config, publicUrlOf } from "./config/config.ts";
import type { Address } from "./config/kinds.ts";

/** What only the running relay knows. */
export type Running = {
  version: string;
  /** Of HTTP. */
  port: number;
  /** Where QUIC listens, and the hashes of its certificates where no authority has signed them. */
  quic: { at: Address; hashes: string[] | undefined } | undefined;
  wakeUpKey: string | undefined;
};

/** What `GET /_relay/v1/info` answers. */
export function relayInfo(config: Config, { version, port, quic, wakeUpKey }: Running): RelayInfo {
  const base = publicUrlOf(config, port);
  const path = `${RELAY_API}/link`;
  const hashes = quic?.hashes && { certificate_hashes: quic.hashes };
  return {
    name: config.name,
    version,
    ...(config.home && { home_suffix: config.name }),
    link: {
      websocket: `${base.replace(/^http/, "ws")}${path}`,
      ...(quic && { webtransport: { url: `https://${quicHost(base, quic.at)}${path}`, ...hashes } }),
      fetch: `${base}${path}`,
    },
    ...(wakeUpKey !== undefined && { wake_up_key: wakeUpKey }),
    limits: {
      transaction_bytes: config.transactionBytes,
      mailbox_bytes: config.mailboxBytes,
      mailbox_entries: config.mailboxEntries,
      retention: config.retention,
    },
  };
}

/** On this machine alone the address itself: browsers may take `localhost` for the IPv6 one, and QUIC has no answer there. */
function quicHost(base: string, at: Address): string {
  const { hostname } = new URL(base);
  return `${hostname === "localhost" && at.host === "127.0.0.1" ? at.host : hostname}:${at.port}`;
}
