import type { JsonObject } from "../../matrix/json.ts";
import { isJsonObject } from "../../matrix/json.ts";
import { isReplaceable } from "../../matrix/replacements.ts";
import { GAP, hashOf, tokensOf } from "../../matrix/words.ts";
import type { StoredEvent } from "../room/api.ts";
import type { EventNid, Nid } from "../storage/schema.ts";

/** What is searched, in the order of the codes in documents: only ever append. */
export const KEYS = ["content.body", "content.name", "content.topic"] as const;
export type SearchKey = (typeof KEYS)[number];

/** The type of event that has each key. */
export const TYPES = ["m.room.message", "m.room.name", "m.room.topic"] as const;

/**
 * A document is one event in a block of numbers: these, then the hashed tokens of its text. The time takes two.
 * `place` is the event's order in its timeline, rounded down; 0 for history from before the room was known here.
 * `edit` is the event that the text is of, if it was edited; else 0.
 */
export const AT = { length: 0, nid: 1, place: 2, ts: 3, sender: 5, edit: 6, flags: 7, tokens: 8 } as const;
export const HAS_URL = 4;
/** The room's history was open to members of later when the event was sent. */
export const IS_SHARED = 8;

/** Of one text. More than that in a message is a file in the wrong place. */
export const MOST_TOKENS = 2_000;

const LARGEST = 2 ** 32;

/** The code of what is searched in an event; undefined for one that is not searched. */
export function keyOf({ pdu, status, order, redactedBy }: StoredEvent): 0 | 1 | 2 | undefined {
  if (status !== 0 || order === 0 || redactedBy !== "") return undefined;
  const key = TYPES.indexOf(pdu.type as (typeof TYPES)[number]);
  // An edit is no message of its own, be it a valid one or not: no client shows it as one.
  if (key === 0) return isReplaceable({ pdu }) ? 0 : undefined;
  return (key === 1 || key === 2) && pdu.state_key === "" ? key : undefined;
}

/** The texts of an event's content under a key. An edit has its text inside `m.new_content`. */
export function textsOf(key: 0 | 1 | 2, content: JsonObject): string[] {
  if (key === 2) return topicTexts(content);
  const text = key === 0 ? content.body : content.name;
  return typeof text === "string" ? [text] : [];
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#room_events */
function topicTexts(content: JsonObject): string[] {
  const texts = typeof content.topic === "string" ? [content.topic] : [];
  const rich = content["m.topic"];
  const representations = isJsonObject(rich) ? rich["m.text"] : undefined;
  for (const each of Array.isArray(representations) ? representations : []) {
    if (!isJsonObject(each) || typeof each.body !== "string") continue;
    // Without a type it is plain text.
    if ((each.mimetype ?? "text/plain") === "text/plain" && !texts.includes(each.body)) texts.push(each.body);
  }
  return texts;
}

export type DocumentFacts = {
  key: 0 | 1 | 2;
  nid: EventNid;
  order: number;
  /** `origin_server_ts`. */
  ts: number;
  sender: Nid;
  edit: EventNid;
  hasUrl: boolean;
  isShared: boolean;
  texts: readonly string[];
};

/** @returns undefined for an event that has no words */
export function encodeDocument(facts: DocumentFacts): Uint32Array | undefined {
  const hashes = facts.texts
    .flatMap((text, i) => [...(i > 0 ? [GAP] : []), ...tokensOf(text).map(hashOf)])
    .slice(0, MOST_TOKENS);
  if (hashes.every((hash) => hash === GAP)) return undefined;
  const document = new Uint32Array(AT.tokens + hashes.length);
  const ts = Math.max(0, facts.ts);
  document[AT.length] = document.length;
  document[AT.nid] = facts.nid;
  document[AT.place] = Math.max(0, Math.floor(facts.order));
  document[AT.ts] = Math.floor(ts / LARGEST);
  document[AT.ts + 1] = ts % LARGEST;
  document[AT.sender] = facts.sender;
  document[AT.edit] = facts.edit;
  document[AT.flags] = facts.key | (facts.hasUrl ? HAS_URL : 0) | (facts.isShared ? IS_SHARED : 0);
  document.set(hashes, AT.tokens);
  return document;
}

/** `origin_server_ts` of the document that begins at `start`. */
export function timeAt(block: Uint32Array, start: number): number {
  return block[start + AT.ts]! * LARGEST + block[start + AT.ts + 1]!;
}

/** The documents of a block, in its order. */
export function* documentsIn(block: Uint32Array): Generator<Uint32Array> {
  for (let at = 0; at < block.length; at += block[at]!) yield block.subarray(at, at + block[at]!);
}
