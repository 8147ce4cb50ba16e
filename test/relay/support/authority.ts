import "../../../src/relay/tls/reflection.ts";
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isIpAddress } from "../../../src/matrix/ip-addresses.ts";
import type { Credentials } from "../../../src/relay/tls/api.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const times = () => ({
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 3_600_000),
});

/** An authority that exists for one test. */
export type Authority = { pem: string; issue(...names: string[]): Promise<Credentials> };

export async function makeAuthority(): Promise<Authority> {
  const keys = await makeKeys();
  const own: X509Certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=Authority of a test",
    keys,
    ...times(),
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, 1, true)],
  });
  return {
    pem: own.toString("pem"),
    async issue(...names) {
      const leaf = await makeKeys();
      const alternatives = names.map(
        (value) => ({ type: isIpAddress(value) ? "ip" : "dns", value }) as const,
      );
      const certificate = await X509CertificateGenerator.create({
        subject: "CN=Server of a test",
        issuer: own.subject,
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        ...times(),
        signingAlgorithm: algorithm,
        extensions: [new SubjectAlternativeNameExtension(alternatives)],
      });
      const pkcs8 = await crypto.subtle.exportKey("pkcs8", leaf.privateKey);
      return { certificate: certificate.toString("pem"), key: PemConverter.encode(pkcs8, "PRIVATE KEY") };
    },
  };
}
