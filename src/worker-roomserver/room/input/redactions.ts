import type { Pdu } from "../../../matrix/pdu.ts";
import { powerLevels } from "../../../matrix/power-levels.ts";
import { isRedactionEffective, redactionTarget } from "../../../matrix/redaction-target.ts";
import type { StoredEvent } from "../api.ts";
import type { EventStore } from "../event-store.ts";
import { authForm } from "../plan.ts";
import type { RoomHead } from "../room-head.ts";
import type { SnapshotChain, SnapshotStore } from "../snapshots.ts";
import type { StateLookup } from "../state/lookup.ts";
import type { Waiting } from "./awaited.ts";

/** What a redaction does when it comes: it redacts an event, or waits for one that may still come. */
export type RedactionEffect = { redacts?: StoredEvent; awaits?: string };

export class Redactions {
  readonly #events: EventStore;
  readonly #snapshots: SnapshotStore;
  readonly #lookup: (state: SnapshotChain) => StateLookup;

  constructor(parts: {
    events: EventStore;
    snapshots: SnapshotStore;
    lookup: (state: SnapshotChain) => StateLookup;
  }) {
    this.#events = parts.events;
    this.#snapshots = parts.snapshots;
    this.#lookup = parts.lookup;
  }

  /**
   * Of an event that was not rejected; one that was soft-failed redacts like any other.
   * @param before - the state before it, which says who may redact
   * @see https://spec.matrix.org/v1.19/rooms/v11/#handling-redactions
   */
  async effectOf(head: RoomHead, pdu: Pdu, before: SnapshotChain): Promise<RedactionEffect> {
    if (pdu.type !== "m.room.redaction") return {};
    const targetId = redactionTarget(pdu, head.rules);
    if (targetId === undefined) return {};
    const target = await this.#events.byId(targetId);
    // What was rejected may turn out to be allowed, and is then a new arrival.
    if (target === undefined || target.status === 1) return { awaits: targetId };
    if (target.room !== head.nid || target.redactedBy !== "") return {};
    return (await this.#isEffective(head, pdu, target.pdu, before)) ? { redacts: target } : {};
  }

  /** The first of those redactions that came before their target which takes effect on it. */
  async earlier(head: RoomHead, target: Pdu, waiting: readonly Waiting[]): Promise<StoredEvent | undefined> {
    for (const { nid } of waiting
      .filter(({ as }) => as.includes("redaction"))
      .sort((a, b) => a.nid - b.nid)) {
      const redaction = await this.#events.getOne(nid);
      const before = await this.#snapshots.chain(redaction.stateBefore);
      if (await this.#isEffective(head, redaction.pdu, target, before)) return redaction;
    }
    return undefined;
  }

  async #isEffective(head: RoomHead, redaction: Pdu, target: Pdu, before: SnapshotChain): Promise<boolean> {
    // Without its create event a room has no state at all.
    if (target.type === "m.room.create") return false;
    const [create, levels] = await this.#lookup(before)([
      ["m.room.create", ""],
      ["m.room.power_levels", ""],
    ]);
    const power = powerLevels(authForm(levels)?.pdu.content, create?.pdu, head.rules);
    return isRedactionEffective(redaction, target, power, head.rules);
  }
}
