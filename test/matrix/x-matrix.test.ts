import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../src/matrix/ed25519.ts";
import type { JsonValue } from "../../src/matrix/json.ts";
import {
  authorizationFor,
  readAuthorization,
  type SignedRequest,
  verifyRequest,
} from "../../src/matrix/x-matrix.ts";

const ed25519 = await chooseEd25519(undefined);
const seed = new Uint8Array(32).fill(7);
const { publicKey } = await keyOf(seed);

async function keyOf(from: Uint8Array) {
  const { getPublicKeyAsync } = await import("@noble/ed25519");
  return { keyId: "ed25519:a_1", publicKey: await getPublicKeyAsync(from), sign: await ed25519.signer(from) };
}

describe("readAuthorization", () => {
  const want = {
    origin: "origin.example:8448",
    destination: "dest.example",
    signatures: [{ keyId: "ed25519:a_1", signature: "ab+/c" }],
  };

  test.each<[what: string, header: string]>([
    [
      "as Synapse writes it",
      'X-Matrix origin="origin.example:8448",key="ed25519:a_1",sig="ab+/c",destination="dest.example"',
    ],
    [
      "without quotes",
      "X-Matrix origin=origin.example:8448,key=ed25519:a_1,sig=ab+/c,destination=dest.example",
    ],
    [
      "in any order and case",
      'x-matrix SIG="ab+/c",Key="ed25519:a_1",Destination=dest.example,ORIGIN="origin.example:8448"',
    ],
    [
      "with spaces and tabs",
      'X-Matrix   origin="origin.example:8448" ,\t key="ed25519:a_1", sig="ab+/c" , destination="dest.example"  ',
    ],
    [
      "with empty elements",
      'X-Matrix origin="origin.example:8448",,key="ed25519:a_1", ,sig="ab+/c",destination="dest.example",',
    ],
    [
      "with escapes",
      'X-Matrix origin="origin\\.example:8448",key="ed25519:a\\_1",sig="ab+/c",destination="dest.example"',
    ],
    [
      "with unknown parameters",
      'X-Matrix origin="origin.example:8448",new="a, X-Matrix b=\\"c\\"",key="ed25519:a_1",sig="ab+/c",destination="dest.example"',
    ],
  ])("reads a header %s", (_, header) => {
    expect(readAuthorization([header])).toEqual(want);
  });

  test("reads several headers, also joined as fetch does", () => {
    const one = 'X-Matrix origin="a.example",destination="b.example",key="ed25519:1",sig="x"';
    const two = 'X-Matrix origin="a.example",destination="b.example",key="ed25519:2",sig="y"';
    const signatures = [
      { keyId: "ed25519:1", signature: "x" },
      { keyId: "ed25519:2", signature: "y" },
    ];
    expect(readAuthorization([one, two]).signatures).toEqual(signatures);
    expect(readAuthorization([`${one}, ${two}`]).signatures).toEqual(signatures);
  });

  test("a missing destination is let pass, as old servers send none", () => {
    expect(readAuthorization(['X-Matrix origin="[2001:db8::1]:1",key="ed25519:1",sig="x"'])).toMatchObject({
      origin: "[2001:db8::1]:1",
      destination: undefined,
    });
  });

  test.each<[what: string, headers: string[]]>([
    ["no header", []],
    ["an empty one", [""]],
    ["another scheme", ["Bearer abc"]],
    ["another scheme behind", ['X-Matrix origin="a",key="b:1",sig="x", Basic abc']],
    ["no parameters", ["X-Matrix "]],
    ["no space behind the scheme", ['X-Matrixorigin="a",key="b:1",sig="x"']],
    ["no comma", ['X-Matrix origin="a" key="b:1",sig="x"']],
    ["an open quote", ['X-Matrix origin="a",key="b:1",sig="x']],
    ["no origin", ['X-Matrix key="b:1",sig="x"']],
    ["no key", ['X-Matrix origin="a",sig="x"']],
    ["no sig", ['X-Matrix origin="a",key="b:1"']],
    ["an origin that is none", ['X-Matrix origin="a b",key="b:1",sig="x"']],
    ["a destination that is none", ['X-Matrix origin="a",destination="/",key="b:1",sig="x"']],
    ["a key that is none", ['X-Matrix origin="a",key="b",sig="x"']],
    ["a parameter twice", ['X-Matrix origin="a",key="b:1",sig="x",ORIGIN="b"']],
    ["two origins", ['X-Matrix origin="a",key="b:1",sig="x"', 'X-Matrix origin="b",key="b:1",sig="x"']],
    ["too many", Array.from({ length: 9 }, () => 'X-Matrix origin="a",key="b:1",sig="x"')],
    ["too long a one", [`X-Matrix origin="a",key="b:1",sig="${"x".repeat(8192)}"`]],
  ])("refuses %s with 401", (_, headers) => {
    expect(() => readAuthorization(headers)).toThrow(
      expect.objectContaining({ errcode: "M_UNAUTHORIZED", status: 401 }),
    );
  });

  test("never fails otherwise, whatever the header is", () => {
    const piece = fc.constantFrom(
      "X-Matrix",
      " ",
      ",",
      "=",
      '"',
      "\\",
      "origin",
      "key",
      "sig",
      "a.example",
      "e:1",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          expect(readAuthorization([pieces.join("")]).signatures.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ errcode: "M_UNAUTHORIZED" });
        }
      }),
    );
  });
});

describe("signing and verifying", () => {
  const request: SignedRequest = {
    method: "PUT",
    uri: "/_matrix/federation/v1/send/1?a=%20b",
    origin: "origin.example",
    destination: "dest.example",
    content: { pdus: [{ content: { n: 1.5 } }], edus: [] },
  };
  const verify = async (signed: SignedRequest, header: string) => {
    const [signature] = readAuthorization([header]).signatures;
    return signature !== undefined && verifyRequest(signed, signature, publicKey, ed25519);
  };

  test("what is signed verifies, with and without content", async () => {
    const key = await keyOf(seed);
    const { content: _, ...bare } = request;
    for (const one of [request, bare]) {
      const header = await authorizationFor(one, key);
      expect(await verify(one, header)).toBe(true);
      expect(readAuthorization([header])).toMatchObject({
        origin: "origin.example",
        destination: "dest.example",
      });
    }
  });

  test.each<[what: string, change: { [name: string]: JsonValue }]>([
    ["method", { method: "POST" }],
    ["uri", { uri: "/_matrix/federation/v1/send/1?a= b" }],
    ["origin", { origin: "other.example" }],
    ["destination", { destination: "other.example" }],
    ["content", { content: { pdus: [], edus: [] } }],
  ])("another %s does not verify", async (_, change) => {
    const header = await authorizationFor(request, await keyOf(seed));
    expect(await verify({ ...request, ...change }, header)).toBe(false);
  });

  test("another key's signature, or none that is one, does not verify", async () => {
    const other = await authorizationFor(request, await keyOf(new Uint8Array(32).fill(8)));
    expect(await verify(request, other)).toBe(false);
    expect(await verify(request, 'X-Matrix origin="origin.example",key="ed25519:a_1",sig="?"')).toBe(false);
  });

  test("what is signed is the canonical JSON of the five members", async () => {
    const { sign } = await keyOf(seed);
    const text =
      '{"content":{"b":2},"destination":"dest.example","method":"GET","origin":"origin.example","uri":"/x"}';
    const signature = encodeBase64(await sign(new TextEncoder().encode(text)));
    const signed = {
      method: "GET",
      uri: "/x",
      origin: "origin.example",
      destination: "dest.example",
      content: { b: 2 },
    };
    expect(await verifyRequest(signed, { keyId: "ed25519:a_1", signature }, publicKey, ed25519)).toBe(true);
  });
});
