import { authTypesFor } from "../auth-events.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { EventNid, ResolvableEvent, StateKey } from "./api.ts";
import type { LoadedEvents } from "./loaded-events.ts";
import { StateMap } from "./state-map.ts";

type LookUp = (keys: readonly StateKey[]) => Promise<readonly (EventNid | undefined)[]>;

/** What the sets agree on, as far as it may authorise the events that are resolved. */
export class AgreedState {
  readonly #lookUp: LookUp;
  readonly #rules: RoomVersionRules;
  readonly #loaded: LoadedEvents;
  /** Undefined where it was looked up and there is nothing. */
  readonly #entries = new StateMap<EventNid | undefined>();

  constructor(lookUp: LookUp, rules: RoomVersionRules, loaded: LoadedEvents) {
    this.#lookUp = lookUp;
    this.#rules = rules;
    this.#loaded = loaded;
  }

  /** Looks up all that the given events may be authorised by. */
  async lookUpFor(events: Iterable<ResolvableEvent>): Promise<void> {
    const wanted: StateKey[] = [];
    for (const { pdu } of events) {
      for (const [type, stateKey] of authTypesFor(pdu, this.#rules)) {
        if (this.#entries.has(type, stateKey)) continue;
        this.#entries.set(type, stateKey, undefined);
        wanted.push([type, stateKey]);
      }
    }
    const found = await this.#lookUp(wanted);
    for (const [i, [type, stateKey]] of wanted.entries()) this.#entries.set(type, stateKey, found[i]);
  }

  /** All that was found, loaded or not. */
  *nids(): Generator<EventNid> {
    for (const nid of this.#entries.values()) if (nid !== undefined) yield nid;
  }

  /** Of an entry that was looked up and has been loaded. */
  event(type: string, stateKey: string): ResolvableEvent | undefined {
    const nid = this.#entries.get(type, stateKey);
    return nid === undefined ? undefined : this.#loaded.get(nid);
  }
}
