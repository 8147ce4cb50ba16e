import { readIfThere, writeSecret } from "../files.ts";
import type { TlsSource } from "./api.ts";
import { makeSelfSigned, type SelfSigned } from "./certificate.ts";

const hour = 3_600_000;
const day = 24 * hour;
/**
 * Browsers take no more than 14 days by hash; an hour of it is spent before now, for clocks that are behind. The next
 * certificate takes over two days before the end, so that a page that has heard of both can connect for that long.
 */
const validity = 14 * day - hour;
const clockSkew = hour;
const overlap = 2 * day;

type Pair = { current: SelfSigned; next: SelfSigned };

/**
 * Certificates that this relay makes itself, for `serverCertificateHashes`. The next one exists, and its hash is told,
 * long before it is used.
 * @param file - where both are kept, so that a restart changes nothing
 * @param report - told why there is no new one, though it is time
 * @param names - DNS names and IP addresses; certificates that are there keep theirs
 */
export async function openDevelopmentCertificates(
  file: string,
  names: string[],
  now: () => number,
  report: (problem: string) => void,
): Promise<TlsSource & { renew(): Promise<void> }> {
  const listeners = new Set<() => void>();
  let pair = await kept(file);

  const after = (before: SelfSigned) => {
    const from = Math.max(before.notAfter - overlap - clockSkew, now() - clockSkew);
    return makeSelfSigned(names, from, from + validity);
  };
  async function renew(): Promise<void> {
    if (pair !== undefined && now() < pair.current.notAfter - overlap) return;
    const taken = pair !== undefined && now() < pair.next.notAfter - overlap ? pair.next : undefined;
    const current = taken ?? (await makeSelfSigned(names, now() - clockSkew, now() - clockSkew + validity));
    const made = { current, next: await after(current) };
    await writeSecret(file, JSON.stringify(made));
    pair = made;
    for (const listener of listeners) listener();
  }
  await renew();
  // The certificate that is there is good for days: it is tried again.
  const timer = setInterval(() => renew().catch((error: unknown) => report(String(error))), hour);
  const there = () => {
    if (pair === undefined) throw new Error("there is no certificate");
    return pair;
  };
  return {
    current: () => there().current,
    hashes: () => [there().current.hash, there().next.hash],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renew,
    close: () => clearInterval(timer),
  };
}

async function kept(file: string): Promise<Pair | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Pair;
  } catch {
    // Written by something else, or by hand: new ones are as good.
    return undefined;
  }
}
