/** How an update of a user's devices stands to what is known of them. */
export type Fit =
  /** It is known already. */
  | "known"
  /** It comes right after what is known. */
  | "next"
  /** Something between is not known, or it is not known what is known: the list has to be asked for. */
  | "gap";

/**
 * @param known - `stream_id` of the last update that is known, or of the answer that had it; undefined where the server
 *   did not say
 * @param wasTaken - whether an update was taken in before, as far as is remembered
 * @see https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
export function fitOf(
  known: number | undefined,
  { streamId, previous }: { streamId: number; previous: readonly number[] },
  wasTaken: (streamId: number) => boolean,
): Fit {
  if (streamId === known || (known !== undefined && wasTaken(streamId))) return "known";
  // One that is older and was not seen: the server may count anew, after it has lost its memory.
  if (known === undefined || previous.length === 0 || streamId < known) return "gap";
  const isKnown = previous.every((id) => id === known || wasTaken(id));
  return isKnown && previous.includes(known) ? "next" : "gap";
}
