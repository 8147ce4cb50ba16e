import { useState } from "react";
import { stateText } from "../model/state-text.ts";
import type { NameOf, TimelineEvent } from "../model/timeline-event.ts";
import { Readers } from "./readers.tsx";

/** As many lines as are shown before the rest hides behind a button. */
const shownAtFirst = 4;

type ChangeLinesProps = {
  events: readonly TimelineEvent[];
  nameOf: NameOf;
  receipts: ReadonlyMap<string, readonly string[]>;
};

/** What changed in the room, in small lines. */
export function ChangeLines({ events, nameOf, receipts }: ChangeLinesProps) {
  const [showsAll, setShowsAll] = useState(false);
  const lines = events.flatMap((event) => {
    const words = stateText(event, nameOf);
    return words === null ? [] : [{ event, words }];
  });
  if (lines.length === 0) return null;
  const visible = showsAll || lines.length <= shownAtFirst + 1 ? lines : lines.slice(-shownAtFirst);
  const readers = lines.flatMap(({ event }) => receipts.get(event.key) ?? []);
  return (
    <li className="changes" data-row>
      {visible.length < lines.length && (
        <button type="button" className="link" onClick={() => setShowsAll(true)}>
          {lines.length - visible.length} more changes
        </button>
      )}
      {visible.map(({ event, words }) => (
        <p key={event.key} data-testid="change" data-event-id={event.id}>
          {words}
        </p>
      ))}
      {readers.length > 0 && <Readers userIds={readers} nameOf={nameOf} />}
    </li>
  );
}
