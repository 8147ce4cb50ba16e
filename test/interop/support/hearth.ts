import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type HeadlessProcess, startHeadless } from "../../e2e/support/headless-process.ts";
import { type RelayProcess, startRelay } from "../../e2e/support/relay-process.ts";
import type { Authority } from "../../relay/support/authority.ts";
import { freePorts } from "./ports.ts";
import { SHARED_SECRET } from "./synapse.ts";

/** A homeserver in a tab, and the relay by which others reach it. */
export type Hearth = {
  serverName: string;
  clientUrl: string;
  relay: RelayProcess;
  /** Opens the tab, with what it had before. @returns once it answers */
  start(): Promise<void>;
  /** Closes the tab. */
  stop(): Promise<void>;
  /** All that was started. */
  end(): Promise<void>;
};

/**
 * The name is an address, as no name below localhost leads anywhere for other programs than browsers: the relay is told to
 * give it to the first node that comes with it.
 */
export async function makeHearth(folder: string, authority: Authority): Promise<Hearth> {
  const [federationPort, clientPort] = (await freePorts(2)) as [number, number];
  const serverName = `127.0.0.1:${federationPort}`;
  await mkdir(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const { certificate, key } = await authority.issue("127.0.0.1");
  await writeFile(file("certificate.pem"), certificate);
  await writeFile(file("key.pem"), key);
  await writeFile(file("authority.pem"), authority.pem);
  const relay = await startRelay(file("relay"), 0, [
    ...["--federation-listen", `127.0.0.1:${federationPort}`, "--given-names", serverName],
    ...["--tls-certificate", file("certificate.pem"), "--tls-key", file("key.pem")],
    ...["--ca", file("authority.pem"), "--allow-private", "127.0.0.0/8"],
    // With the certificate, which no browser knows, it would not be found: the page is on this machine.
    ...["--quic-listen", "off"],
  ]);
  let tab: HeadlessProcess | undefined;
  const stop = async () => {
    await tab?.stop();
    tab = undefined;
  };
  return {
    serverName,
    clientUrl: `http://127.0.0.1:${clientPort}`,
    relay,
    start: async () => {
      tab = await startHeadless([
        ...["--profile", file("profile"), "--relay", relay.url, "--server-name", serverName],
        ...["--client-listen", String(clientPort), "--registration-secret", SHARED_SECRET],
        ...["--no-rate-limits", "--password-cost", "8,1,1", "--back-off", "500ms,2s"],
      ]);
      const [state] = tab.ready.relays;
      if (state?.connection !== "connected")
        throw new Error(`the relay is ${state?.connection}: ${tab.told()}`);
    },
    stop,
    end: async () => {
      await stop();
      await relay.kill();
    },
  };
}
