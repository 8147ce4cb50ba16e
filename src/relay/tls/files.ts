import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Credentials, TlsSource } from "./api.ts";

/** Milliseconds between two looks at the files. */
const lookAgain = 60_000;

/**
 * A certificate from files, read again when they change: what renews certificates need not know about the relay.
 * @param report - told why new files were not taken; those from before stay in use
 * @throws Error, in words for the operator, when they cannot be used now
 */
export async function openCertificateFiles(
  paths: { certificate: string; key: string },
  report: (problem: string) => void,
): Promise<TlsSource & { look(): Promise<void> }> {
  const listeners = new Set<() => void>();
  let current = await readCredentials(paths);

  async function look(): Promise<void> {
    try {
      const read = await readCredentials(paths);
      if (read.certificate === current.certificate && read.key === current.key) return;
      current = read;
      for (const listener of listeners) listener();
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    }
  }
  const timer = setInterval(() => void look(), lookAgain);
  return {
    current: () => current,
    hashes: () => undefined,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    look,
    close: () => clearInterval(timer),
  };
}

/** Both files, which are written one after the other: only a pair that belongs together is taken. */
async function readCredentials(paths: { certificate: string; key: string }): Promise<Credentials> {
  const certificate = await readText(paths.certificate);
  const key = await readText(paths.key);
  if (!belongTogether(certificate, key, paths)) {
    throw new Error(`the key in ${paths.key} is not that of the certificate in ${paths.certificate}`);
  }
  return { certificate, key };
}

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch((error: unknown) => {
    throw new Error(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  });
}

function belongTogether(
  certificate: string,
  key: string,
  paths: { certificate: string; key: string },
): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`no PEM certificate in ${paths.certificate}, or no PEM key in ${paths.key}: ${why}`);
  }
}
