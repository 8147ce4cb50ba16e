import type { Report, TimelineEvent, ToDeviceEvent } from "./client-in-page.ts";

type Followed = { since: string; timelines: Map<string, TimelineEvent[]>; toDevice: ToDeviceEvent[] };
type SenderReport = "asks" | "acknowledged";

/** What the clients reported, kept outside the browser, so that it outlives whatever happens to a page. */
export class Journal {
  /** By sender, then by number: the event id that the homeserver answered. */
  readonly acknowledged = new Map<string, Map<number, string>>();
  /** By sender: the number that it comes to next. */
  readonly next = new Map<string, number>();
  /** By observer: where its sync stands, and what it has been told of each room and its device, in that order. */
  readonly followed = new Map<string, Followed>();
  /** How often each status other than 200 came; 0 where no answer came. */
  readonly refusals = new Map<number, number>();
  /** What must never be: an event id that changed under one transaction id. */
  readonly contradictions: string[] = [];
  #count = 0;
  #waiting: { count: number; kind: SenderReport; resolve: () => void } | undefined;

  add(report: Report): void {
    switch (report.kind) {
      case "asks":
        this.next.set(report.sender, report.number);
        break;
      case "acknowledged":
        this.#acknowledge(report.sender, report.number, report.eventId);
        break;
      case "refused":
        this.refusals.set(report.status, (this.refusals.get(report.status) ?? 0) + 1);
        break;
      case "synced":
        this.#follow(report);
        return; // how often a sync returns says nothing about how far the senders are
    }
    this.#count += 1;
    const { kind } = report;
    if (this.#waiting?.kind === kind && this.#count >= this.#waiting.count) this.#waiting.resolve();
  }

  /**
   * Waits for so many more reports of senders, and then for one of the kind: `asks` is the moment before a
   * request goes out, `acknowledged` the earliest at which its loss would be a broken promise.
   */
  async more(count: number, kind: SenderReport): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = { count: this.#count + count, kind, resolve };
    });
    this.#waiting = undefined;
  }

  /** How all of them stand, for the message when something does not come. */
  state(): object {
    const counts = [...this.acknowledged].map(([sender, events]) => [sender, events.size]);
    return {
      acknowledged: Object.fromEntries(counts),
      next: Object.fromEntries(this.next),
      refusals: Object.fromEntries(this.refusals),
      followed: [...this.followed].map(([observer, { since }]) => [observer, since]),
    };
  }

  /** Whether an observer has been told of an event in a room. */
  hasSeen(observer: string, roomId: string, eventId: string): boolean {
    const timeline = this.followed.get(observer)?.timelines.get(roomId) ?? [];
    return timeline.some((event) => event.event_id === eventId);
  }

  #acknowledge(sender: string, number: number, eventId: string): void {
    const events = this.acknowledged.get(sender) ?? new Map<number, string>();
    this.acknowledged.set(sender, events);
    const known = events.get(number);
    if (known !== undefined && known !== eventId)
      this.contradictions.push(`${sender} ${number}: ${known}, then ${eventId}`);
    events.set(number, eventId);
    this.next.set(sender, number + 1);
  }

  #follow({ observer, nextBatch, timelines, toDevice }: Report & { kind: "synced" }): void {
    const followed: Followed = this.followed.get(observer) ?? {
      since: nextBatch,
      timelines: new Map(),
      toDevice: [],
    };
    this.followed.set(observer, followed);
    followed.since = nextBatch;
    followed.toDevice.push(...toDevice);
    for (const [roomId, events] of Object.entries(timelines)) {
      followed.timelines.set(roomId, [...(followed.timelines.get(roomId) ?? []), ...events]);
    }
  }
}
