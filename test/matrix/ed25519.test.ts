import { webcrypto } from "node:crypto";
import { Point } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { chooseEd25519, type Ed25519, type Subtle, webCryptoEd25519 } from "../../src/matrix/ed25519.ts";
import { nobleEd25519 } from "../../src/matrix/ed25519-noble.ts";
import { mayVerify } from "../../src/matrix/ed25519-rules.ts";
import edgeCases from "../vectors/ed25519-edge-cases.json" with { type: "json" };
import rfc8032 from "../vectors/ed25519-rfc8032.json" with { type: "json" };

const subtle: Subtle = webcrypto.subtle;
const implementations: [name: string, ed25519: Ed25519][] = [
  ["WebCrypto", webCryptoEd25519(subtle)],
  ["noble", nobleEd25519()],
];

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const { n: order, p: prime } = Point.CURVE();
const seed32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Every implementation's verdict, which has to be one and the same. */
async function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const verdicts = await Promise.all(
    implementations.map(([, ed25519]) => ed25519.verify(publicKey, message, signature)),
  );
  expect(new Set(verdicts).size).toBe(1);
  return verdicts[0] === true;
}

describe.each(implementations)("%s", (_, ed25519) => {
  test.each(rfc8032.cases)("RFC 8032, $name", async ({ seed, publicKey, message, signature }) => {
    expect(await ed25519.publicKey(hex(seed))).toEqual(hex(publicKey));
    expect(await ed25519.verify(hex(publicKey), hex(message), hex(signature))).toBe(true);
    expect(await ed25519.verify(hex(publicKey), hex(`${message}00`), hex(signature))).toBe(false);
  });

  test.each(edgeCases.cases)("edge case: $name, $valid", async ({ publicKey, message, signature, valid }) => {
    expect(await ed25519.verify(hex(publicKey), hex(message), hex(signature))).toBe(valid);
  });

  test.each([0, 31, 33, 64])("takes no seed of %d bytes", async (length) => {
    const refusal = { errcode: "M_INVALID_PARAM" };
    await expect(ed25519.publicKey(new Uint8Array(length))).rejects.toMatchObject(refusal);
    await expect(ed25519.signer(new Uint8Array(length))).rejects.toMatchObject(refusal);
  });

  test("keeps the seed it was given, whatever becomes of the array", async () => {
    const seed = new Uint8Array(32).fill(7);
    const publicKey = await ed25519.publicKey(seed);
    const sign = await ed25519.signer(seed);
    seed.fill(0);
    expect(await ed25519.verify(publicKey, hex("00"), await sign(hex("00")))).toBe(true);
  });
});

describe("both implementations", () => {
  test("property: verify what either signs, and nothing with a bit changed", async () => {
    const bits = fc.record({ key: fc.nat(255), signature: fc.nat(511), message: fc.nat(79) });
    await fc.assert(
      fc.asyncProperty(
        seed32,
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        bits,
        async (seed, message, bit) => {
          for (const [, ed25519] of implementations) {
            const publicKey = await ed25519.publicKey(seed);
            const signature = await (await ed25519.signer(seed))(message);
            expect(await verdict(publicKey, message, signature)).toBe(true);
            expect(await verdict(flip(publicKey, bit.key), message, signature)).toBe(false);
            expect(await verdict(publicKey, message, flip(signature, bit.signature))).toBe(false);
            expect(await verdict(publicKey, flip(message, bit.message), signature)).toBe(false);
          }
        },
      ),
    );
  });

  test("property: agree on whatever bytes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 30, maxLength: 34 }),
        fc.uint8Array({ minLength: 62, maxLength: 66 }),
        async (publicKey, signature) => {
          expect(await verdict(publicKey, new Uint8Array(), signature)).toBe(false);
        },
      ),
    );
  });

  test("refuse the malleable twin of a signature, S + L", async () => {
    const { publicKey, message, signature } = rfc8032.cases[1]!;
    const twin = hex(signature);
    twin.set(littleEndian(toNumber(twin.subarray(32)) + order), 32);
    expect(await verdict(hex(publicKey), hex(message), twin)).toBe(false);
  });

  test("refuse S = L, the first that is too big", async () => {
    const signature = Uint8Array.of(...hex(rfc8032.cases[0]!.publicKey), ...littleEndian(order));
    expect(await verdict(hex(rfc8032.cases[0]!.publicKey), new Uint8Array(), signature)).toBe(false);
  });

  test("refuse every encoding of a point of small order, as a key and as R", async () => {
    const torsion = torsionPoint();
    const canonical = Array.from({ length: 8 }, (_, factor) =>
      torsion.multiply(BigInt(factor), false).toBytes(),
    );
    const unsigned = canonical.map((bytes) => toNumber(bytes) % 2n ** 255n);
    const nonCanonical = unsigned.filter((y) => y + prime < 2n ** 255n).map((y) => littleEndian(y + prime));
    const encodings = [...canonical, ...unsigned.map(littleEndian), ...nonCanonical].flatMap((bytes) => [
      bytes,
      flip(bytes, 255),
    ]);
    const message = hex("00");
    const zero = new Uint8Array(32);
    for (const a of encodings) {
      for (const r of encodings) expect(await verdict(a, message, Uint8Array.of(...r, ...zero))).toBe(false);
    }
  });

  test("refuse keys that are encoded non-canonically or are on no curve", async () => {
    const signature = hex(rfc8032.cases[0]!.signature);
    for (let y = 0n; y < 19n; y++) {
      expect(await verdict(littleEndian(prime + y), new Uint8Array(), signature)).toBe(false);
      expect(await verdict(littleEndian(y + 2n), new Uint8Array(), signature)).toBe(false);
    }
  });

  test("check the equation without the cofactor: torsion in A passes only where R's cancels it", async () => {
    const torsion = torsionPoint();
    const verdicts: boolean[] = [];
    for (let round = 1; round <= 4; round++) {
      const message = Uint8Array.of(round);
      const a = toNumber(sha512(Uint8Array.of(1, round))) % order;
      const r = toNumber(sha512(Uint8Array.of(2, round))) % order;
      const publicKey = Point.BASE.multiply(a).add(torsion).toBytes();
      for (let factor = 0n; factor < 8n; factor++) {
        const R = Point.BASE.multiply(r).add(torsion.multiply(factor, false)).toBytes();
        const k = toNumber(sha512(Uint8Array.of(...R, ...publicKey, ...message))) % order;
        const signature = Uint8Array.of(...R, ...littleEndian((r + k * a) % order));
        // S·B − k·A is r·B − k·T here, so R has to carry −k of the torsion.
        const cancels = (k + factor) % 8n === 0n;
        expect(await verdict(publicKey, message, signature)).toBe(cancels);
        verdicts.push(cancels);
      }
    }
    expect(new Set(verdicts)).toEqual(new Set([true, false]));
  });
});

// Nobody knows a private key for these points, so no signature could show what is made of their encodings.
test.each<[what: string, y: bigint, proper: boolean]>([
  ["the last canonical y", prime - 2n, true],
  ["the first y past the small ones", 2n, true],
  ["the same y, not reduced", prime + 2n, false],
  ["the greatest y that fits", 2n ** 255n - 1n, false],
])("the rule that stands before both: %s", (_, y, proper) => {
  const good = hex(rfc8032.cases[0]!.signature);
  const key = hex(rfc8032.cases[0]!.publicKey);
  expect(mayVerify(littleEndian(y), good)).toBe(proper);
  expect(mayVerify(key, Uint8Array.of(...littleEndian(y), ...good.subarray(32)))).toBe(proper);
});

describe("webCryptoEd25519", () => {
  const { publicKey, signature } = rfc8032.cases[0]!;

  test("imports a public key once, until 512 others have been used since", async () => {
    const importKey = vi.fn(subtle.importKey.bind(subtle));
    const ed25519 = webCryptoEd25519({ ...forwarding(), importKey });
    const verifies = () => ed25519.verify(hex(publicKey), new Uint8Array(), hex(signature));
    const useOthers = async (from: number, count: number) => {
      for (let other = from; other < from + count; other++) {
        await ed25519.verify(littleEndian(BigInt(1000 + other)), new Uint8Array(), hex(signature));
      }
    };
    expect(await verifies()).toBe(true);
    await useOthers(0, 511);
    expect(await verifies()).toBe(true);
    expect(importKey).toHaveBeenCalledTimes(512);
    await useOthers(511, 511);
    expect(await verifies()).toBe(true);
    expect(importKey).toHaveBeenCalledTimes(1023);
    await useOthers(1022, 512);
    expect(await verifies()).toBe(true);
    expect(importKey).toHaveBeenCalledTimes(1023 + 513);
  });

  test.each(["DataError", "OperationError"])("takes a %s at import for a bad key", async (name) => {
    const ed25519 = webCryptoEd25519(refusing(name));
    expect(await ed25519.verify(hex(publicKey), new Uint8Array(), hex(signature))).toBe(false);
  });

  test("does not take other failures for a bad signature", async () => {
    const ed25519 = webCryptoEd25519(refusing("NotSupportedError"));
    await expect(ed25519.verify(hex(publicKey), new Uint8Array(), hex(signature))).rejects.toThrow(
      "refused by the test",
    );
  });

  test("reads messages in shared memory", async () => {
    const message = new Uint8Array(new SharedArrayBuffer(1));
    message[0] = 0x72;
    const { publicKey, signature } = rfc8032.cases[1]!;
    expect(await webCryptoEd25519(subtle).verify(hex(publicKey), message, hex(signature))).toBe(true);
  });
});

describe("chooseEd25519", () => {
  const { seed, publicKey } = rfc8032.cases[0]!;

  test("takes the platform's where it works", async () => {
    const sign = vi.fn(subtle.sign.bind(subtle));
    const ed25519 = await chooseEd25519({ ...forwarding(), sign });
    sign.mockClear();
    await (await ed25519.signer(hex(seed)))(new Uint8Array());
    expect(sign).toHaveBeenCalledTimes(1);
  });

  test.each<[why: string, subtle: Subtle | undefined]>([
    ["there is none", undefined],
    ["it does not know the algorithm", refusing("NotSupportedError")],
    ["it says yes to everything", { ...forwarding(), verify: async () => true }],
    ["it cannot sign", { ...forwarding(), sign: async () => new ArrayBuffer(64) }],
  ])("takes JavaScript's where %s", async (_, broken) => {
    const ed25519 = await chooseEd25519(broken);
    const message = hex("0102");
    const signature = await (await ed25519.signer(hex(seed)))(message);
    expect(await verdict(hex(publicKey), message, signature)).toBe(true);
    expect(await ed25519.verify(hex(publicKey), hex("0103"), signature)).toBe(false);
  });
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
}

/** A point of order 8, from the edge cases: it generates the torsion. */
function torsionPoint(): Point {
  return Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
}

function forwarding(): Subtle {
  return {
    importKey: subtle.importKey.bind(subtle),
    exportKey: subtle.exportKey.bind(subtle),
    sign: subtle.sign.bind(subtle),
    verify: subtle.verify.bind(subtle),
  };
}

function refusing(name: string): Subtle {
  const importKey = async () => {
    throw Object.assign(new Error("refused by the test"), { name });
  };
  return { ...forwarding(), importKey };
}
