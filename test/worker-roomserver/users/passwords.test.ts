import { describe, expect, test } from "vitest";
import { checkNewPassword, Passwords } from "../../../src/worker-roomserver/users/passwords.ts";
import { cheap } from "../support/users.ts";

describe("passwords", () => {
  test("are kept as PHC strings of the given cost, each with a salt of its own", async () => {
    const passwords = new Passwords(() => cheap);
    const [one, other] = await Promise.all([passwords.hash("secret"), passwords.hash("secret")]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(other).not.toBe(one);
    expect(await passwords.verify(one, "secret")).toBe(true);
    expect(await passwords.verify(one, "Secret")).toBe(false);
  });

  // From test.c of the reference implementation, github.com/P-H-C/phc-winner-argon2.
  test("verify what other implementations have hashed, whatever its cost", async () => {
    const phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    expect(await new Passwords(() => cheap).verify(phc, "password")).toBe(true);
    expect(await new Passwords(() => cheap).verify(phc, "passwore")).toBe(false);
  });

  test.each<[what: string, phc: string, password: string]>([
    ["no account", "", "secret"],
    ["an empty password", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA", ""],
    ["a password that none can be", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA", "x".repeat(513)],
  ])("%s costs as much as any other, and matches nothing", async (_, phc, password) => {
    expect(await new Passwords(() => cheap).verify(phc, password)).toBe(false);
    // A cost that Argon2 refuses shows that a hash of the node's own cost is computed.
    const impossible = new Passwords(() => ({ ...cheap, memoryKiB: 1 }));
    await expect(impossible.verify(phc, password)).rejects.toThrow("Memory size");
  });

  test.each<[what: string, password: string, errcode: string | undefined]>([
    ["nothing", "", "M_WEAK_PASSWORD"],
    ["one character", "x", undefined],
    ["512 characters", "x".repeat(512), undefined],
    ["513 characters", "x".repeat(513), "M_INVALID_PARAM"],
  ])("%s as a new password", (_, password, errcode) => {
    if (errcode === undefined) expect(checkNewPassword(password)).toBeUndefined();
    else expect(() => checkNewPassword(password)).toThrow(expect.objectContaining({ errcode, status: 400 }));
  });
});
