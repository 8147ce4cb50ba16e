import type { TimelineEvent } from "../../../src/ui/model/timeline-event.ts";

let count = 0;

/** A message of alice's, unless said otherwise. */
export function message(change: Partial<TimelineEvent> = {}): TimelineEvent {
  const id = change.id ?? `$${++count}`;
  return {
    key: id,
    id,
    type: "m.room.message",
    sender: "@alice:example.org",
    ts: Date.UTC(2026, 5, 15, 12),
    content: { msgtype: "m.text", body: "Hello" },
    status: "sent",
    redacted: false,
    edited: false,
    ...change,
  };
}

export function membership(
  target: string,
  after: string,
  before?: string,
  change: Partial<TimelineEvent> = {},
): TimelineEvent {
  return message({
    type: "m.room.member",
    stateKey: target,
    sender: target,
    content: { membership: after },
    ...(before === undefined ? {} : { prevContent: { membership: before } }),
    ...change,
  });
}
