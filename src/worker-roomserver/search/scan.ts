import type { EventNid, Nid } from "../storage/schema.ts";
import { AT, HAS_URL, IS_SHARED, timeAt } from "./documents.ts";
import type { Phrase } from "./terms.ts";

/** What a document must be like, as numbers. */
export type Wanted = {
  phrases: readonly Phrase[];
  /** By the code of the key. */
  keys: readonly [body: boolean, name: boolean, topic: boolean];
  /** Undefined: anybody. */
  senders: ReadonlySet<Nid> | undefined;
  notSenders: ReadonlySet<Nid>;
  hasUrl: boolean | undefined;
};

/** What of a room the user may read, if its history lets them. */
export type Reach = {
  room: Nid;
  /** The place from which on the user has been joined without a break. */
  since: number;
  /** The place up to which there is anything for them. */
  end: number;
};

export type Hit = { rank: number; ts: number; nid: EventNid; room: Nid; sender: Nid; edit: EventNid };

/** How fast the rank rises with each time that a word comes, and what a text of usual length is. */
const SATURATION = 1.2;
const USUAL_TOKENS = 20;

/**
 * Calls for each document that has what is wanted, with whether the user certainly may see it. The rank says how much of
 * the text is what was looked for, and depends on nothing else: it is the same whatever else is written.
 */
export function scan(
  block: Uint32Array,
  wanted: Wanted,
  { room, since, end }: Reach,
  found: (hit: Hit, isVisible: boolean) => void,
): void {
  for (let start = 0; start < block.length; start += block[start]!) {
    const last = start + block[start]!;
    const rank = rankOf(block, start + AT.tokens, last, wanted.phrases);
    if (rank === 0) continue;
    const place = block[start + AT.place]!;
    if (place > end || !isWanted(block, start, wanted)) continue;
    const hit = {
      rank,
      ts: timeAt(block, start),
      nid: block[start + AT.nid]!,
      room,
      sender: block[start + AT.sender]!,
      edit: block[start + AT.edit]!,
    };
    found(hit, place >= since || (block[start + AT.flags]! & IS_SHARED) !== 0);
  }
}

function isWanted(block: Uint32Array, start: number, wanted: Wanted): boolean {
  const flags = block[start + AT.flags]!;
  const sender = block[start + AT.sender]!;
  return (
    wanted.keys[flags & 3] === true &&
    (wanted.senders?.has(sender) ?? true) &&
    !wanted.notSenders.has(sender) &&
    (wanted.hasUrl === undefined || wanted.hasUrl === ((flags & HAS_URL) !== 0))
  );
}

/** 0 where one of the phrases is not there; else from 0.01 to less than 1. */
function rankOf(block: Uint32Array, start: number, end: number, phrases: readonly Phrase[]): number {
  let sum = 0;
  for (const phrase of phrases) {
    const first = phrase[0]!;
    let times = 0;
    for (let at = start; at < end; at++) if (block[at] === first && isAt(block, at, end, phrase)) times++;
    if (times === 0) return 0;
    sum += times / (times + SATURATION * (0.25 + (0.75 * (end - start)) / USUAL_TOKENS));
  }
  return sum / phrases.length;
}

function isAt(block: Uint32Array, at: number, end: number, phrase: Phrase): boolean {
  if (at + phrase.length > end) return false;
  for (let i = 1; i < phrase.length; i++) if (block[at + i] !== phrase[i]) return false;
  return true;
}
