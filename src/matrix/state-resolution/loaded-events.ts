import type { EventNid, ResolutionSource, ResolvableEvent } from "./api.ts";

/** The events that a resolution has asked for so far: each once, many at a time. */
export class LoadedEvents {
  readonly #source: ResolutionSource;
  /** Undefined for what was asked for and is not known. */
  readonly #events = new Map<EventNid, ResolvableEvent | undefined>();

  constructor(source: ResolutionSource) {
    this.#source = source;
  }

  /** Asks for those that are not there yet, all at once. */
  async load(nids: Iterable<EventNid>): Promise<void> {
    const missing = new Set<EventNid>();
    for (const nid of nids) if (!this.#events.has(nid)) missing.add(nid);
    if (missing.size === 0) return;
    for (const nid of missing) this.#events.set(nid, undefined);
    for (const event of await this.#source.events([...missing])) this.#events.set(event.nid, event);
  }

  /** Asks for events and for what they cite. */
  async loadWithAuthEvents(nids: Iterable<EventNid>): Promise<void> {
    const wanted = new Set<EventNid>();
    for (const nid of nids) {
      wanted.add(nid);
      const authEvents = this.#source.graph.authEventsOf(nid);
      for (let index = 0; index < authEvents.length; index++) wanted.add(authEvents[index]!);
    }
    await this.load(wanted);
  }

  /** Whether it has been asked for. */
  has(nid: EventNid): boolean {
    return this.#events.has(nid);
  }

  get(nid: EventNid): ResolvableEvent | undefined {
    return this.#events.get(nid);
  }

  /** Those of the given events that have been loaded. */
  all(nids: Iterable<EventNid>): ResolvableEvent[] {
    const events: ResolvableEvent[] = [];
    for (const nid of nids) {
      const event = this.#events.get(nid);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  *values(): Generator<ResolvableEvent> {
    for (const event of this.#events.values()) if (event !== undefined) yield event;
  }

  /** What an event cites for an entry of the state, rejected or not. */
  authEvent(event: ResolvableEvent, type: string, stateKey: string): ResolvableEvent | undefined {
    for (const nid of event.authEvents) {
      const authEvent = this.#events.get(nid);
      if (authEvent?.pdu.type === type && authEvent.pdu.state_key === stateKey) return authEvent;
    }
    return undefined;
  }
}
