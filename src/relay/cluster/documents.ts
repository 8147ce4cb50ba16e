import { Buffer } from "node:buffer";
import { Kvm } from "@nats-io/kv";
import { nuid } from "@nats-io/transport-node";
import type { Documents } from "../documents/api.ts";
import { encodeDocument } from "../documents/limit.ts";
import { fromNow, isConflict, isPassing, type Nats, persist, rest } from "./nats.ts";

/** Writers that a document remembers: whoever did not hear that it was stored finds that out. */
const REMEMBERED = 8;

/** `document` is left out when it was deleted: the mark stays, for whoever did not hear of it. */
type Stored = { by: string[]; document?: unknown };

/**
 * Documents in a key-value bucket. A key is `<kind>.<the key in hexadecimal UTF-16>`: their order is that of the keys.
 * @throws {MatrixError} M_TOO_LARGE (413), from `change`, for a document over the limit, of which nothing is kept
 */
export async function natsDocuments(nats: Nats): Promise<Documents> {
  const { replicas, prefix } = nats;
  const kvm = new Kvm(nats.jetstream);
  const options = { replicas, history: 1, allow_direct: false };
  const bucket = await persist(() => kvm.create(`${prefix}-documents`, options));
  const turns = new Map<string, Promise<unknown>>();

  const get = async (place: string, until?: number) => {
    const entry = await persist(() => bucket.get(place), until);
    const { by, document }: Stored = entry === null ? { by: [] } : entry.json<Stored>();
    return { by, document, revision: entry?.revision ?? 0 };
  };

  async function change<T, R>(
    place: string,
    make: (now: T | undefined) => { to?: T | undefined; result: R },
  ): Promise<R> {
    const until = fromNow();
    for (;;) {
      const { by, document, revision } = await get(place, until);
      const made = make(document as T | undefined);
      if (!("to" in made) || (made.to === undefined && document === undefined)) return made.result;
      const nonce = nuid.next();
      const writers = JSON.stringify([nonce, ...by].slice(0, REMEMBERED));
      const content = made.to === undefined ? "" : `,"document":${encodeDocument(made.to)}`;
      const stored = `{"by":${writers}${content}}`;
      for (let now = revision; now === revision; ) {
        try {
          await bucket.put(place, stored, { previousSeq: revision });
        } catch (error) {
          if (!isConflict(error)) {
            if (!isPassing(error) || performance.now() >= until) throw error;
            await rest();
          }
        }
        // It may have been stored though nobody has said so; and NATS 2.9, in a cluster, takes two on top of the same
        // one when they come together: then the later one stays, and the other is made again on top of it.
        const after = await get(place, until);
        if (after.by.includes(nonce)) return made.result;
        now = after.revision;
      }
    }
  }

  return {
    read: async <T>(kind: string, key: string) => (await get(placeOf(kind, key))).document as T | undefined,
    change: (kind, key, make) => {
      const place = placeOf(kind, key);
      // Those of one relay would only be in one another's way.
      const done = (turns.get(place) ?? Promise.resolve()).then(() => change(place, make));
      const settled = done
        .catch(() => undefined)
        .then(() => {
          if (turns.get(place) === settled) turns.delete(place);
        });
      turns.set(place, settled);
      return done;
    },
    list: async (kind, after, limit) => {
      const past = placeOf(kind, after);
      const places: string[] = [];
      for await (const place of await bucket.keys(`${kind}.>`)) if (place > past) places.push(place);
      const keys: string[] = [];
      for (const place of places.sort()) {
        if (keys.length === limit) break;
        if ((await get(place)).document !== undefined) keys.push(keyOf(kind, place));
      }
      return keys;
    },
  };
}

/** With a letter before it, as an empty key is a key as well. */
const placeOf = (kind: string, key: string) =>
  `${kind}.k${Buffer.from(key, "utf16le").swap16().toString("hex")}`;
const keyOf = (kind: string, place: string) =>
  Buffer.from(place.slice(kind.length + 2), "hex")
    .swap16()
    .toString("utf16le");
