import "../../../src/relay/tls/reflection.ts";
import { X509Certificate } from "@peculiar/x509";
import { expect, test } from "vitest";
import { encodeBase64 } from "../../../src/matrix/base64.ts";
import { openDevelopmentCertificates } from "../../../src/relay/tls/development.ts";
import { openCertificateFiles } from "../../../src/relay/tls/files.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { makeAuthority } from "../support/authority.ts";
import { makeFolder } from "../support/folder.ts";

const day = 86_400_000;
const names = ["localhost", "127.0.0.1", "::1"];

async function development(file: string, now: () => number) {
  const source = await openDevelopmentCertificates(file, names, now, (problem) => expect.fail(problem));
  atTheEnd(source.close);
  return source;
}

test("a development certificate is one that a browser takes by its hash", async () => {
  const source = await development(`${await makeFolder()}/tls.json`, () => Date.now());
  const certificate = new X509Certificate(source.current().certificate);
  expect(certificate.publicKey.algorithm).toMatchObject({ name: "ECDSA", namedCurve: "P-256" });
  expect(certificate.notAfter.getTime() - certificate.notBefore.getTime()).toBeLessThanOrEqual(14 * day);
  expect(certificate.notBefore.getTime()).toBeLessThan(Date.now());
  const hash = new Uint8Array(await certificate.getThumbprint("SHA-256"));
  expect(source.hashes()?.[0]).toBe(encodeBase64(hash));
  expect(source.hashes()).toHaveLength(2);
});

test("it stays over a restart, is replaced by the announced one before it ends, and never lapses", async () => {
  const file = `${await makeFolder()}/tls.json`;
  const start = Date.now();
  let time = start;
  let source = await development(file, () => time);
  let changes = 0;
  let [current, next] = source.hashes() ?? [];
  source.onChange(() => {
    changes += 1;
  });
  for (; time < start + 60 * day; time += day / 2) {
    await source.renew();
    const { notBefore, notAfter } = new X509Certificate(source.current().certificate);
    expect(notBefore.getTime()).toBeLessThan(time);
    expect(notAfter.getTime()).toBeGreaterThan(time + day);
    const [nowCurrent, nowNext] = source.hashes() ?? [];
    // Whoever knew both hashes half a day ago can connect.
    expect([current, next]).toContain(nowCurrent);
    [current, next] = [nowCurrent, nowNext];
  }
  expect(changes).toBeGreaterThanOrEqual(4);
  time -= day / 2;
  source = await development(file, () => time);
  expect(source.hashes()).toEqual([current, next]);
});

test("after a long time without, and from a spoiled file, there is a new one", async () => {
  const file = `${await makeFolder()}/tls.json`;
  const first = await development(file, () => 1_000 * day);
  const later = await development(file, () => 2_000 * day);
  expect(later.hashes()).not.toContain(first.hashes()?.[0]);
  expect(new X509Certificate(later.current().certificate).notAfter.getTime()).toBeGreaterThan(2_001 * day);
  await Deno.writeTextFile(file, "{");
  expect((await development(file, () => 2_000 * day)).hashes()).toHaveLength(2);
});

test("the private key is for this user alone", async () => {
  const file = `${await makeFolder()}/tls.json`;
  await development(file, () => Date.now());
  expect(((await Deno.stat(file)).mode ?? 0) & 0o077).toBe(0);
});

test("files are taken again when both have changed, and not while they do not belong together", async () => {
  const folder = await makeFolder();
  const paths = { certificate: `${folder}/tls.crt`, key: `${folder}/tls.key` };
  const authority = await makeAuthority();
  const [first, second] = [await authority.issue("a.example"), await authority.issue("a.example")];
  await Deno.writeTextFile(paths.certificate, first.certificate);
  await Deno.writeTextFile(paths.key, first.key);
  const problems: string[] = [];
  const source = await openCertificateFiles(paths, (problem) => problems.push(problem));
  atTheEnd(source.close);
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });
  await source.look();
  expect([changes, problems]).toEqual([0, []]);
  await Deno.writeTextFile(paths.certificate, second.certificate);
  await source.look();
  expect(source.current()).toEqual(first);
  expect(problems).toEqual([expect.stringContaining("is not that of the certificate")]);
  await Deno.writeTextFile(paths.key, second.key);
  await source.look();
  expect([changes, source.current()]).toEqual([1, second]);
});

test.each([
  ["missing", undefined, "cannot read"],
  ["no PEM", "text", "no PEM"],
])("a certificate file that is %s is said to be", async (_, text, problem) => {
  const folder = await makeFolder();
  if (text !== undefined) await Deno.writeTextFile(`${folder}/a`, text);
  await Deno.writeTextFile(`${folder}/b`, "text");
  const opening = openCertificateFiles({ certificate: `${folder}/a`, key: `${folder}/b` }, () => undefined);
  await expect(opening).rejects.toThrow(problem);
});
