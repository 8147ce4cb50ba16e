import type { EventNid } from "../storage/schema.ts";
import { AT, documentsIn } from "./documents.ts";

/** Numbers in a block, unless one document is larger: 32 KiB, some 400 messages. */
const BLOCK_SIZE = 8_192;

/** What becomes of documents: the document as it is now, undefined for one that is gone. */
export type Changes = ReadonlyMap<EventNid, Uint32Array | undefined>;

/** A block, and the number of the event from which on documents are in it. */
export type Block = { first: EventNid; words: Uint32Array };

/**
 * A block after changes to documents of it: none if nothing is left, several if it has become too large. The first one
 * keeps its number; each of the others begins with its first document.
 * @returns undefined if they change nothing
 */
export function changedBlock({ first, words }: Block, changes: Changes): Block[] | undefined {
  const documents = new Map<EventNid, Uint32Array>();
  for (const document of documentsIn(words)) documents.set(document[AT.nid]!, document);
  let isChanged = false;
  for (const [nid, document] of changes) {
    if (isEqual(documents.get(nid), document)) continue;
    isChanged = true;
    if (document === undefined) documents.delete(nid);
    else documents.set(nid, document);
  }
  if (!isChanged) return undefined;
  const sorted = [...documents].sort(([one], [other]) => one - other);
  const blocks: { first: EventNid; documents: Uint32Array[]; size: number }[] = [];
  for (const [nid, document] of sorted) {
    const last = blocks.at(-1);
    if (last !== undefined && last.size + document.length <= BLOCK_SIZE) {
      last.documents.push(document);
      last.size += document.length;
    } else
      blocks.push({ first: last === undefined ? first : nid, documents: [document], size: document.length });
  }
  return blocks.map((block) => ({ first: block.first, words: joined(block.documents, block.size) }));
}

/**
 * Changes by the block that they fall into.
 * @param firsts - the numbers of the room's blocks, descending
 * @returns `first` of a block that is new for what comes before all others
 */
export function byBlock(firsts: readonly EventNid[], changes: Changes): Map<EventNid, Changes> {
  const blocks = new Map<EventNid, Map<EventNid, Uint32Array | undefined>>();
  const nids = [...changes.keys()].sort((a, b) => a - b);
  for (const nid of nids) {
    const own = firsts.find((first) => first <= nid);
    const begun = [...blocks.keys()].findLast((first) => first <= nid);
    const first = Math.max(own ?? 0, begun ?? 0) || nid;
    const block = blocks.get(first) ?? new Map<EventNid, Uint32Array | undefined>();
    blocks.set(first, block.set(nid, changes.get(nid)));
  }
  return blocks;
}

function joined(documents: readonly Uint32Array[], size: number): Uint32Array {
  const words = new Uint32Array(size);
  let at = 0;
  for (const document of documents) {
    words.set(document, at);
    at += document.length;
  }
  return words;
}

function isEqual(one: Uint32Array | undefined, other: Uint32Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((word, i) => word === other[i]);
}
