import { MatrixError } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import type { RoomForReaders } from "../../room/api.ts";
import type { RoomQueries } from "../../room/query/graph/api.ts";
import type { Position } from "../../storage/schema.ts";
import type { Edu, OutgoingEdus, OutgoingMessages } from "../api.ts";
import type { EduBodies } from "./edu-bodies.ts";
import { newestEvents } from "./newest-events.ts";
import { nameOf, type Waiting, type WaitingEdu, type WaitingPdu } from "./waiting.ts";

/** @see https://spec.matrix.org/v1.19/server-server-api/#transactions */
const MAX_PDUS = 50;
const MAX_EDUS = 100;
export const MAX_THINGS = MAX_PDUS + MAX_EDUS;
/** Of these, so many messages to devices and others that must not be lost; there is a place left for what is ephemeral. */
const MAX_MESSAGES = 50;
const MAX_DURABLE = 40;
/** Characters of events, but for the first one: dozens of transactions are under way at once. */
const MAX_LENGTH = 256 * 1024;

/** What goes into a transaction. A plan that failed is tried again as it was. */
export type Plan = {
  pdus: readonly WaitingPdu[];
  edus: readonly WaitingEdu[];
  /** The most messages to devices. */
  messages: number;
};

/** A transaction as it is sent, and what of the plan is in it. */
export type Transaction = {
  pdus: Pdu[];
  edus: Edu[];
  taken: { pdus: readonly WaitingPdu[]; edus: readonly WaitingEdu[] };
  messages: OutgoingMessages | undefined;
  /** Differs where other things are in it. */
  contents: string;
};

export type TransactionSources = {
  room: Pick<RoomForReaders, "presentEvents">;
  roomQueries: Pick<RoomQueries, "latest" | "serversIn" | "visibleToServer">;
  edus: Pick<OutgoingEdus, "messagesFor">;
  bodies: EduBodies;
};

/**
 * The next that a server is to be sent. An event that stands for others is sent alone: who gets it has to ask for those,
 * which takes time for each room.
 * @param hasMessages - whether messages to devices may be waiting
 * @param most - things in all, where the server has refused more of them together
 */
export function planNext(waiting: Waiting, hasMessages: boolean, most: number): Plan {
  const pdus: WaitingPdu[] = [];
  for (const pdu of waiting.pdus) {
    if (pdus.length >= Math.min(MAX_PDUS, most) || (pdu.isCatchUp && pdus.length > 0)) break;
    pdus.push(pdu);
    if (pdu.isCatchUp) break;
  }
  const messages = hasMessages ? Math.min(MAX_MESSAGES, most - pdus.length) : 0;
  const room = Math.min(MAX_DURABLE, most - pdus.length - messages);
  const edus: WaitingEdu[] = [];
  for (const edu of waiting.edus) {
    if (edus.length >= room) break;
    edus.push(edu);
  }
  return { pdus, edus, messages };
}

/** Whether all of it still waits, in the form that it had. */
export function isStillWaiting(plan: Plan, waiting: Waiting): boolean {
  return plan.pdus.every((pdu) => waiting.hasPdu(pdu)) && plan.edus.every((edu) => waiting.hasEdu(edu));
}

/**
 * Reads what a plan is about. Events of rooms that have been removed are left out; so is what makes it too long, which is
 * not `taken` then. Costs the events, mostly from memory, and one range of messages.
 * @param after - messages up to there have been taken
 */
export async function makeTransaction(
  sources: TransactionSources,
  server: string,
  plan: Plan,
  after: Position,
): Promise<Transaction> {
  const { pdus, taken } = await eventsOf(sources, server, plan.pdus);
  const messages =
    plan.messages > 0 ? await sources.edus.messagesFor(server, after, plan.messages) : undefined;
  const durable = await sources.bodies.of(server, plan.edus);
  const upTo = messages?.edus.length ? messages.upTo : 0;
  return {
    pdus,
    edus: [...(messages?.edus ?? []), ...durable.filter((edu) => edu !== undefined)],
    taken: { pdus: taken, edus: plan.edus },
    messages,
    contents: JSON.stringify([taken.map(({ position }) => position), plan.edus.map(nameOf), upTo]),
  };
}

async function eventsOf(
  { room, roomQueries }: TransactionSources,
  server: string,
  waiting: readonly WaitingPdu[],
): Promise<{ pdus: Pdu[]; taken: WaitingPdu[] }> {
  const events = await room.presentEvents(waiting.map(({ event }) => event));
  const pdus: Pdu[] = [];
  const taken: WaitingPdu[] = [];
  let length = 0;
  for (const [i, own] of events.entries()) {
    const one = waiting[i]!;
    if (own !== undefined) {
      length += JSON.stringify(own.pdu).length;
      if (length > MAX_LENGTH && pdus.length > 0) break;
      const newest = one.isCatchUp ? newestEvents(roomQueries, server, own) : Promise.resolve([own.pdu]);
      pdus.push(...(await newest.catch(noneIfGone)));
    }
    taken.push(one);
  }
  return { pdus, taken };
}

/** The room has been removed meanwhile. */
function noneIfGone(error: unknown): Pdu[] {
  if (error instanceof MatrixError && error.status === 404) return [];
  throw error;
}

/** The body of `PUT /send/{txnId}`. @param ephemeral - EDUs beside the others, as many as there is a place for */
export function transactionBody(
  { pdus, edus }: Pick<Transaction, "pdus" | "edus">,
  { origin, at, ephemeral }: { origin: string; at: number; ephemeral: readonly Edu[] },
): JsonObject {
  return { origin, origin_server_ts: at, pdus, edus: [...edus, ...ephemeral].slice(0, MAX_EDUS) };
}
