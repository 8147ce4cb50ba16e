import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Mail, Mailbox } from "../../../src/relay/mailbox/api.ts";
import type { MailboxLimits } from "../../../src/relay/mailbox/room.ts";
import type { Opened } from "../documents/contract.ts";
import { modelMailbox } from "./model.ts";

export function mail(over: Partial<Mail> = {}): Mail {
  return {
    origin: "origin.example",
    txnId: "t1",
    method: "PUT",
    uri: "/_matrix/federation/v1/send/t1",
    authorization: ['X-Matrix origin="origin.example"'],
    body: new TextEncoder().encode('{"pdus":[]}'),
    receivedAt: 1_000_000,
    verified: true,
    ...over,
  };
}

const roomy: MailboxLimits = { bytes: 1 << 30, entries: 10_000 };

/** What every implementation of `Mailbox` does. */
export function mailboxContract(
  name: string,
  open: (limits: MailboxLimits) => Promise<Opened<Mailbox>>,
): void {
  const opened = async (limits = roomy) => {
    const one = await open(limits);
    onTestFinished(() => one.close());
    return one;
  };

  describe(`mailbox: ${name}`, () => {
    test("what was put comes out whole, in order, and again until it is acknowledged", async () => {
      const { store } = await opened();
      const body = Uint8Array.from({ length: 256 }, (_, index) => index);
      const first = mail({ body, authorization: ["X-Matrix a", "X-Matrix b"], verified: false });
      expect(await store.put("node", first)).toBe("stored");
      expect(await store.put("node", mail({ txnId: "t2" }))).toBe("stored");
      for (let time = 0; time < 2; time++) {
        const taken = await store.next("node", 0);
        expect(taken?.more).toBe(true);
        expect(taken?.entry).toEqual({ ...first, id: taken?.entry.id });
      }
      const id = (await store.next("node", 0))?.entry.id ?? 0;
      const second = await store.next("node", id);
      expect(second).toMatchObject({ entry: { txnId: "t2" }, more: false });
      await store.acknowledge("node", id);
      expect(await store.next("node", 0)).toEqual(second);
    });

    test("an id is not given again, not even when all was acknowledged and the relay started again", async () => {
      const { store, reopen } = await opened();
      await store.put("node", mail());
      const id = (await store.next("node", 0))?.entry.id ?? 0;
      await store.acknowledge("node", id);
      const again = await reopen();
      await again.put("node", mail({ txnId: "t2" }));
      expect((await again.next("node", 0))?.entry.id).toBeGreaterThan(id);
    });

    test("acknowledging by somebody else's ids touches nothing of theirs", async () => {
      const { store } = await opened();
      await store.put("one", mail());
      const id = (await store.next("one", 0))?.entry.id ?? 0;
      await store.acknowledge("two", id + 1000);
      expect((await store.next("one", 0))?.entry.id).toBe(id);
      await store.acknowledge("one", id + 1000);
      await store.put("one", mail({ txnId: "later" }));
      expect((await store.next("one", 0))?.entry.txnId).toBe("later");
    });

    test("a transaction is taken once within the retention, also after it was acknowledged and restarts", async () => {
      const { store, reopen } = await opened();
      const both = await Promise.all([store.put("node", mail()), store.put("node", mail())]);
      expect(both.sort()).toEqual(["duplicate", "stored"]);
      expect(await store.put("node", mail({ origin: "other.example" }))).toBe("stored");
      expect(await store.put("another", mail())).toBe("stored");
      await store.acknowledge("node", 1000);
      const again = await reopen();
      expect(await again.put("node", mail({ body: new Uint8Array(3) }))).toBe("duplicate");
      await again.expire(mail().receivedAt + 1);
      expect(await again.put("node", mail())).toBe("stored");
    });

    test("what was forged in another's name does not keep out what that one really sends", async () => {
      const { store } = await opened();
      const forged = mail({ verified: false, authorization: ["X-Matrix forged"] });
      expect(await store.put("node", forged)).toBe("stored");
      expect(await store.put("node", forged)).toBe("duplicate");
      expect(await store.put("node", { ...forged, body: new Uint8Array(1) })).toBe("stored");
      expect(await store.put("node", mail())).toBe("stored");
      expect(await store.put("node", { ...forged, body: new Uint8Array(2) })).toBe("duplicate");
    });

    test("a full mailbox says so, and takes mail again when there is room; others have their own", async () => {
      const { store } = await opened({ bytes: 1 << 20, entries: 2 });
      await store.put("node", mail({ txnId: "1" }));
      await store.put("node", mail({ txnId: "2" }));
      expect(await store.put("node", mail({ txnId: "3" }))).toBe("full");
      expect(await store.put("node", mail({ txnId: "2" }))).toBe("duplicate");
      expect(await store.put("other", mail({ txnId: "3" }))).toBe("stored");
      await store.acknowledge("node", (await store.next("node", 0))?.entry.id ?? 0);
      expect(await store.put("node", mail({ txnId: "3" }))).toBe("stored");
    });

    test("bytes are limited as well, and freed by acknowledging and by age", async () => {
      const { store } = await opened({ bytes: 10_000, entries: 100 });
      const large = (txnId: string) => mail({ txnId, body: new Uint8Array(6000) });
      expect(await store.put("node", large("1"))).toBe("stored");
      expect(await store.put("node", large("2"))).toBe("full");
      const { bytes } = await store.backlog("node");
      expect(bytes).toBeGreaterThanOrEqual(6000);
      await store.acknowledge("node", 1000);
      expect(await store.backlog("node")).toEqual({ entries: 0, bytes: 0 });
      expect(await store.put("node", large("2"))).toBe("stored");
      expect(await store.expire(mail().receivedAt + 1)).toBe(1);
      expect(await store.put("node", large("3"))).toBe("stored");
    });

    test("what is not verified fills no more than its share", async () => {
      const { store } = await opened({ bytes: 1 << 20, entries: 8 });
      const junk = (txnId: string) => store.put("node", mail({ txnId, verified: false }));
      expect(await Promise.all([junk("1"), junk("2"), junk("3")])).toEqual(["stored", "stored", "full"]);
      expect(await store.put("node", mail({ txnId: "4" }))).toBe("stored");
    });

    test("any interleaving of puts, takes, acknowledgements, expiry and restarts is as in the model", async () => {
      const owner = fc.constantFrom("one", "two", "o");
      const put = fc.record({
        owner,
        origin: fc.constantFrom("a", "b"),
        txnId: fc.constantFrom("1", "2", "3", "4", "5"),
        authorization: fc.constantFrom("x", "y").map((one) => [one]),
        body: fc.constantFrom(new Uint8Array([1]), new Uint8Array([2])),
        verified: fc.boolean(),
      });
      const step = fc.oneof(
        { weight: 6, arbitrary: fc.array(put, { minLength: 1, maxLength: 4 }).map((puts) => ({ puts })) },
        { weight: 3, arbitrary: fc.record({ owner, after: fc.integer({ min: 0, max: 12 }) }) },
        { weight: 3, arbitrary: fc.record({ owner, upTo: fc.integer({ min: 0, max: 12 }) }) },
        { weight: 1, arbitrary: fc.record({ before: fc.integer({ min: 0, max: 30 }) }) },
        { weight: 1, arbitrary: fc.constant("restart" as const) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const limits = { bytes: 1 << 30, entries: 6 };
          const one = await open(limits);
          const model = modelMailbox(limits);
          let { store } = one;
          try {
            for (const [receivedAt, act] of steps.entries()) {
              if (act === "restart") store = await one.reopen();
              else if ("puts" in act) {
                const mails = act.puts.map(
                  ({ owner: to, ...over }) => [to, mail({ ...over, receivedAt })] as const,
                );
                const outcomes = await Promise.all(mails.map(([to, one]) => store.put(to, one)));
                expect(outcomes).toEqual(mails.map(([to, one]) => model.put(to, one)));
              } else if ("after" in act) {
                expect(await store.next(act.owner, act.after)).toEqual(model.next(act.owner, act.after));
              } else if ("upTo" in act) {
                await store.acknowledge(act.owner, act.upTo);
                model.acknowledge(act.owner, act.upTo);
              } else expect(await store.expire(act.before)).toBe(model.expire(act.before));
            }
            for (const name of ["one", "two", "o"]) {
              const { entries, bytes } = await store.backlog(name);
              expect(entries).toBe(model.entries(name));
              expect(bytes > 0).toBe(entries > 0);
            }
          } finally {
            await one.close();
          }
        }),
      );
    });
  });
}
