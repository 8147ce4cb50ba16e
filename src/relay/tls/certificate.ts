import "./reflection.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { encodeBase64 } from "../../matrix/base64.ts";
import { isIpAddress } from "../../matrix/ip-addresses.ts";
import type { Credentials } from "./api.ts";

/** A certificate that nobody but itself has signed. Times in milliseconds since 1970. */
export type SelfSigned = Credentials & { notBefore: number; notAfter: number; hash: string };

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const serverAuthentication = "1.3.6.1.5.5.7.3.1";

/**
 * Makes a certificate as `serverCertificateHashes` wants it: X.509v3, ECDSA with P-256.
 * @param names - DNS names or IP addresses
 * @see https://www.w3.org/TR/webtransport/#dom-webtransportoptions-servercertificatehashes
 */
export async function makeSelfSigned(
  names: string[],
  notBefore: number,
  notAfter: number,
): Promise<SelfSigned> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=Hearth relay for development",
    keys,
    // X.509 knows whole seconds only.
    notBefore: new Date(Math.floor(notBefore / 1000) * 1000),
    notAfter: new Date(Math.floor(notAfter / 1000) * 1000),
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([serverAuthentication]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIpAddress(value) ? "ip" : "dns", value }) as const),
      ),
    ],
  });
  return {
    certificate: certificate.toString("pem"),
    key: PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
    hash: encodeBase64(new Uint8Array(await certificate.getThumbprint("SHA-256"))),
  };
}
