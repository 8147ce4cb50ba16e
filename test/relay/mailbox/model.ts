import type { Entry, Mail, Put } from "../../../src/relay/mailbox/api.ts";
import type { MailboxLimits } from "../../../src/relay/mailbox/room.ts";

type Kept = { mail: Mail; id: number };
type Box = { last: number; entries: Kept[]; seen: Mail[] };

/** What a mailbox should do, as plainly as it can be said. Limits of entries only. */
export function modelMailbox(limits: MailboxLimits) {
  const boxes = new Map<string, Box>();
  const boxOf = (owner: string) => {
    const box = boxes.get(owner) ?? { last: 0, entries: [], seen: [] };
    boxes.set(owner, box);
    return box;
  };
  const sameTransaction = (a: Mail, b: Mail) => a.origin === b.origin && a.txnId === b.txnId;
  const sameRequest = (a: Mail, b: Mail) =>
    sameTransaction(a, b) && a.uri === b.uri && String(a.authorization) === String(b.authorization);

  const isDuplicate = (box: Box, mail: Mail) =>
    box.seen.some((old) => {
      if (old.verified) return sameTransaction(old, mail);
      return !mail.verified && sameRequest(old, mail) && String(old.body) === String(mail.body);
    });

  return {
    put(owner: string, mail: Mail): Put {
      const box = boxOf(owner);
      if (isDuplicate(box, mail)) return "duplicate";
      const unverified = box.entries.filter((kept) => !kept.mail.verified).length;
      if (box.entries.length >= limits.entries) return "full";
      if (!mail.verified && unverified >= limits.entries / 4) return "full";
      box.last++;
      box.entries.push({ mail, id: box.last });
      box.seen.push(mail);
      return "stored";
    },
    next(owner: string, after: number): { entry: Entry; more: boolean } | undefined {
      const rest = boxOf(owner).entries.filter(({ id }) => id > after);
      const [first] = rest;
      return first && { entry: { ...first.mail, id: first.id }, more: rest.length > 1 };
    },
    acknowledge(owner: string, upTo: number): void {
      const box = boxOf(owner);
      box.entries = box.entries.filter(({ id }) => id > upTo);
    },
    entries: (owner: string) => boxOf(owner).entries.length,
    expire(before: number): number {
      let total = 0;
      for (const box of boxes.values()) {
        const young = box.entries.filter(({ mail }) => mail.receivedAt >= before);
        total += box.entries.length - young.length;
        box.entries = young;
        box.seen = box.seen.filter(({ receivedAt }) => receivedAt >= before);
      }
      return total;
    },
  };
}
