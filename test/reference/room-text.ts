import type { RefEvent, RefState } from "./events.ts";

/** A room as text for people: a line an event, which names others by their number. */
export function roomText(room: {
  readonly version: string;
  readonly events: readonly RefEvent[];
  readonly arrivals: readonly (readonly RefEvent[])[];
}): string {
  const numbers = new Map(room.events.map(({ eventId }, index) => [eventId, index]));
  const numbersOf = (ids: readonly string[]) => ids.map((id) => numbers.get(id)).join(" ");
  const lines = room.events.map(({ eventId, pdu, prev, auth }, index) => {
    const key = pdu.state_key === undefined ? "" : ` ${JSON.stringify(pdu.state_key)}`;
    const redacts = pdu.redacts ?? pdu.content.redacts;
    const target = typeof redacts === "string" ? ` redacts ${numbers.get(redacts)}` : "";
    const times = `ts ${pdu.origin_server_ts % 1_000_000_000} depth ${pdu.depth}`;
    const what = `${pdu.sender} ${pdu.type}${key} ${JSON.stringify(pdu.content)}${target}`;
    return `${index}: ${what} prev [${numbersOf(prev)}] auth [${numbersOf(auth)}] ${times} ${eventId}`;
  });
  const arrivals = room.arrivals.map((events) => `in the order ${numbersOf(events.map((e) => e.eventId))}`);
  return [`room version ${room.version}`, ...lines, ...arrivals].join("\n");
}

/** A state as text, to compare many: comparing Maps takes long. */
export function stateText(state: RefState): string {
  return JSON.stringify([...state].sort());
}
