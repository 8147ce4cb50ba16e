import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GivenKey, KeyMailboxRequest, TakenBack } from "../../../src/link/relay-api.ts";
import type { Documents } from "../../../src/relay/documents/api.ts";
import { sqliteDocuments } from "../../../src/relay/documents/sqlite-documents.ts";
import { openKeyMailbox } from "../../../src/relay/key-mailbox/key-mailbox.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";

const ALICE = "@alice:node";
const BOB = "@bob:node";
const key = (text: string) => ({ key: text, signatures: { [ALICE]: { "ed25519:D": "x" } } });

function deposit(over: Partial<KeyMailboxRequest> = {}): KeyMailboxRequest {
  return {
    devices: { user_id: ALICE, stream_id: 1, devices: [] },
    device_keys: { D: { device_id: "D" }, E: { device_id: "E" } },
    one_time_keys: {},
    fallback_keys: {},
    ...over,
  };
}

const oneTime = (...names: string[]) => ({
  D: Object.fromEntries(names.map((name) => [`signed_curve25519:${name}`, key(name)])),
});

const wanted = (user: string, ...devices: string[]) =>
  new Map([[user, new Map(devices.map((device) => [device, "signed_curve25519"]))]]);

function opened() {
  const documents = sqliteDocuments(openSqlite(":memory:"));
  return { documents, keys: openKeyMailbox(documents) };
}

async function claimOne(keys: ReturnType<typeof openKeyMailbox>, user = ALICE): Promise<string | undefined> {
  const answer = (await keys.claim("node", wanted(user, "D"))) as
    | { one_time_keys: Record<string, Record<string, Record<string, unknown>>> }
    | undefined;
  return Object.keys(answer?.one_time_keys[user]?.D ?? {})[0];
}

const named = (...names: string[]): GivenKey[] =>
  names.map((name) => ({ user_id: ALICE, device_id: "D", key_id: `signed_curve25519:${name}` }));

describe("the key mailbox", () => {
  test("gives one-time keys in order, each once, and then the fallback key", async () => {
    const { keys } = opened();
    await keys.deposit(
      "node",
      ALICE,
      deposit({ one_time_keys: oneTime("1", "2"), fallback_keys: oneTime("F") }),
    );
    const got = [await claimOne(keys), await claimOne(keys), await claimOne(keys), await claimOne(keys)];
    expect(got).toEqual(["1", "2", "F", "F"].map((name) => `signed_curve25519:${name}`));
    expect(await keys.takeBack("node", undefined)).toMatchObject({ given: named("1", "2", "F"), left: [] });
  });

  test("claims at the same time get different keys", async () => {
    const { keys } = opened();
    await keys.deposit("node", ALICE, deposit({ one_time_keys: oneTime("1", "2", "3") }));
    const got = await Promise.all(Array.from({ length: 5 }, () => claimOne(keys)));
    expect(got.filter((one) => one !== undefined).length).toBe(3);
    expect(new Set(got).size).toBe(4);
  });

  test("answers queries for users that it knows, all devices or some", async () => {
    const { keys } = opened();
    await keys.deposit("node", ALICE, deposit({ master_key: { m: 1 } }));
    expect(
      await keys.query(
        "node",
        new Map([
          [ALICE, []],
          [BOB, []],
        ]),
      ),
    ).toEqual({
      device_keys: { [ALICE]: { D: { device_id: "D" }, E: { device_id: "E" } } },
      master_keys: { [ALICE]: { m: 1 } },
      self_signing_keys: {},
    });
    expect(await keys.query("node", new Map([[ALICE, ["E", "toString"]]]))).toMatchObject({
      device_keys: { [ALICE]: { E: { device_id: "E" } } },
    });
    expect(await keys.query("node", new Map([[BOB, []]]))).toBeUndefined();
    expect(await keys.query("other", new Map([[ALICE, []]]))).toBeUndefined();
    expect(await keys.claim("other", wanted(ALICE, "D"))).toBeUndefined();
    expect(await keys.devices("node", ALICE)).toMatchObject({ stream_id: 1 });
    expect(await keys.devices("other", ALICE)).toBeUndefined();
  });

  test("taking back says what was given and what is left, the same until acknowledged, and leaves nothing", async () => {
    const { keys } = opened();
    await keys.deposit("node", ALICE, deposit({ one_time_keys: oneTime("1", "2") }));
    await claimOne(keys);
    const first = await keys.takeBack("node", undefined);
    expect(first).toEqual({ number: 1, given: named("1"), left: named("2") });
    expect(await claimOne(keys)).toBeUndefined();
    // What is deposited anew belongs to the next answer.
    await keys.deposit("node", ALICE, deposit({ one_time_keys: oneTime("3"), taken_back: 1 }));
    await keys.deposit("node", BOB, deposit({ one_time_keys: oneTime("4"), taken_back: 1 }));
    expect(await keys.takeBack("node", undefined)).toEqual(first);
    expect(await keys.takeBack("node", 0)).toEqual(first);
    const [bobs] = named("4").map((name) => ({ ...name, user_id: BOB }));
    expect(await keys.takeBack("node", 1)).toEqual({ number: 2, given: [], left: [...named("3"), bobs] });
  });

  test("a deposit that is sent again brings back no key that was given since", async () => {
    const { keys } = opened();
    const upload = deposit({ one_time_keys: oneTime("1", "2") });
    await keys.deposit("node", ALICE, upload);
    await claimOne(keys);
    await keys.deposit("node", ALICE, upload);
    expect(await claimOne(keys)).toBe("signed_curve25519:2");
    expect(await claimOne(keys)).toBeUndefined();
  });

  test.each([ALICE, BOB])(
    "a deposit from before the keys were taken back is refused with 409: %s",
    async (user) => {
      const { keys } = opened();
      await keys.deposit("node", ALICE, deposit({ one_time_keys: oneTime("1"), taken_back: 0 }));
      await keys.takeBack("node", undefined);
      const late = keys.deposit("node", user, deposit({ one_time_keys: oneTime("1"), taken_back: 0 }));
      await expect(late).rejects.toMatchObject({ status: 409, errcode: "M_CONFLICT" });
      expect(await claimOne(keys, user)).toBeUndefined();
    },
  );

  test("names from outside are only names", async () => {
    const { keys } = opened();
    const devices = JSON.parse(
      '{"__proto__": {"signed_curve25519:1": "k"}}',
    ) as KeyMailboxRequest["one_time_keys"];
    await keys.deposit("node", ALICE, deposit({ one_time_keys: devices }));
    const answer = await keys.claim("node", wanted(ALICE, "__proto__", "constructor"));
    expect(JSON.stringify(answer)).toBe(
      `{"one_time_keys":{"${ALICE}":{"__proto__":{"signed_curve25519:1":"k"}}}}`,
    );
  });

  test("a node has at most 64 users here", async () => {
    const { keys } = opened();
    for (let user = 0; user < 64; user++) await keys.deposit("node", `@${user}:node`, deposit());
    await expect(keys.deposit("node", ALICE, deposit())).rejects.toMatchObject({
      errcode: "M_LIMIT_EXCEEDED",
    });
    await keys.deposit("node", "@3:node", deposit());
  });

  test("no key is ever given twice, whatever is sent again or broken off", async () => {
    type Act = "claim" | "claim-other" | "take-back" | "deposit" | "late-deposit" | "acknowledge";
    const acts = fc.array(
      fc.record({
        act: fc.constantFrom<Act>(
          "claim",
          "claim-other",
          "take-back",
          "deposit",
          "late-deposit",
          "acknowledge",
        ),
        // How many changes are made before the relay is killed in the midst of it.
        lives: fc.integer({ min: 0, max: 12 }),
      }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (steps) => {
        const { documents } = opened();
        const node = modelNode();
        const byRelay: string[] = [];
        for (const { act, lives } of steps) {
          const keys = openKeyMailbox(dying(documents, lives));
          const user = act === "claim-other" ? BOB : ALICE;
          try {
            if (act === "claim" || act === "claim-other") {
              const given = await claimOne(keys, user);
              if (given !== undefined) byRelay.push(`${user} ${given}`);
            } else if (act === "take-back") node.took(await keys.takeBack("node", node.committed));
            else if (act === "acknowledge") await keys.takeBack("node", node.committed);
            else {
              const upload = act === "deposit" ? node.deposit() : node.previous();
              for (const one of [ALICE, BOB]) await keys.deposit("node", one, deposit(upload));
            }
          } catch (error) {
            if (!(error instanceof Killed) && (error as { status?: number }).status !== 409) throw error;
          }
        }
        node.took(await openKeyMailbox(documents).takeBack("node", node.committed));
        node.took(await openKeyMailbox(documents).takeBack("node", node.committed));
        const all = [...byRelay, ...node.givesItself()];
        expect(all.length).toBe(new Set(all).size);
      }),
    );
  });
});

class Killed extends Error {}

/** Documents of a relay that is killed after so many changes: before the next one is made. */
function dying(documents: Documents, lives: number): Documents {
  let left = lives;
  return {
    ...documents,
    change: async (kind, name, change) => {
      if (left-- <= 0) throw new Killed();
      return documents.change(kind, name, change);
    },
  };
}

/** A node that lends keys to its relay, and gives out itself what it has got back. */
function modelNode() {
  let counter = 0;
  let upload: Partial<KeyMailboxRequest> = { one_time_keys: oneTime("0"), taken_back: 0 };
  const own = new Set<string>();
  const node = {
    committed: undefined as number | undefined,
    took(answer: TakenBack) {
      if (answer.number === node.committed) return;
      node.committed = answer.number;
      for (const { user_id, key_id } of answer.left) own.add(`${user_id} ${key_id}`);
    },
    deposit() {
      counter++;
      upload = { one_time_keys: oneTime(`${counter}a`, `${counter}b`), taken_back: node.committed ?? 0 };
      return upload;
    },
    previous: () => upload,
    givesItself: () => [...own],
  };
  return node;
}
