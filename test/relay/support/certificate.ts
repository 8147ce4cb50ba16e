import "./reflection.ts";
import * as x509 from "@peculiar/x509";
import type { Certificate } from "../../../src/relay/sessions/webtransport-listener.ts";

/** A certificate for loopback that browsers take by its hash: ECDSA P-256, at most 14 days. */
export async function makeCertificate(): Promise<{ certificate: Certificate; hash: string }> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const day = 24 * 60 * 60 * 1000;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=localhost",
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 10 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
      ]),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  const digest = await crypto.subtle.digest("SHA-256", made.rawData);
  return {
    certificate: { cert: made.toString("pem"), key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") },
    hash: btoa(String.fromCharCode(...new Uint8Array(digest))),
  };
}
