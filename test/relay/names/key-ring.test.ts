import { describe, expect, test } from "vitest";
import type { ServerKeys } from "../../../src/matrix/server-keys.ts";
import { openKeyRing } from "../../../src/relay/names/key-ring.ts";
import { person } from "../support/people.ts";
import { relay } from "../support/relay.ts";

const signature = (keyId = "ed25519:1") => [{ keyId, signature: "s" }];
const minute = 60_000;

describe("the keys of others", () => {
  test("are asked of them once, and kept until they end", async () => {
    const { keyRing, world, seen, clock } = relay();
    const other = await person(9, "other.example");
    world.set(other.name, other);
    const both = [keyRing.find(other.name, signature(), 1000), keyRing.find(other.name, signature(), 1000)];
    for (const found of await Promise.all(both)) {
      expect(found).toEqual({ signature: signature()[0], publicKey: Uint8Array.from(other.key.publicKey) });
    }
    clock.now += 99_000;
    await keyRing.find(other.name, signature(), 1000);
    expect(seen.egress).toHaveLength(1);
    clock.now += 2_000;
    await keyRing.find(other.name, signature(), 1000);
    expect(seen.egress).toHaveLength(2);
  });

  test("of a node are in its name: nobody is asked", async () => {
    const { keyRing, seen } = relay();
    const node = await person(1);
    const found = await keyRing.find(node.name, signature("ed25519:any"), 1000);
    expect(found?.publicKey).toEqual(Uint8Array.from(node.key.publicKey));
    expect(seen.egress).toEqual([]);
  });

  test("that could not be had, or a key that is not there, are asked again after a minute", async () => {
    const { keyRing, world, seen, clock } = relay();
    const other = await person(9, "other.example");
    for (let time = 0; time < 3; time++) {
      expect(await keyRing.find(other.name, signature(), 1000)).toBeUndefined();
    }
    expect(seen.egress).toHaveLength(1);
    clock.now += minute;
    world.set(other.name, other);
    expect(await keyRing.find(other.name, signature("ed25519:2"), 1000)).toBeUndefined();
    expect(await keyRing.find(other.name, signature("ed25519:2"), 1000)).toBeUndefined();
    expect(await keyRing.find(other.name, signature("ed25519:1"), 1000)).toBeDefined();
    expect(seen.egress).toHaveLength(2);
  });

  test("that do not come in time are not waited for, and there for who asks next", async () => {
    const { names } = relay();
    const { key } = await person(9);
    const answers: ((keys: ServerKeys) => void)[] = [];
    const published = { fetch: () => new Promise<ServerKeys>((resolve) => answers.push(resolve)) };
    const ring = openKeyRing({ names, published, now: () => 0 });
    expect(await ring.find("slow.example", signature(), 1)).toBeUndefined();
    const second = ring.find("slow.example", signature(), 60_000);
    const keys = new Map([["ed25519:1", Uint8Array.from(key.publicKey)]]);
    answers[0]?.({ keys, oldKeys: new Map(), validUntil: 10 });
    expect(await second).toBeDefined();
    expect(answers).toHaveLength(1);
  });

  test("no more than 64 servers are asked at one time", async () => {
    const { names } = relay();
    let asked = 0;
    const published = {
      fetch: () => {
        asked++;
        return new Promise<undefined>(() => undefined);
      },
    };
    const ring = openKeyRing({ names, published, now: () => 0 });
    await Promise.all(Array.from({ length: 80 }, (_, n) => ring.find(`s${n}.example`, signature(), 1)));
    expect(asked).toBe(64);
  });
});
