/**
 * Who has read how far, by the event that is shown for it: a receipt for an event that is not shown counts
 * for the last one before it that is. That somebody has read what they wrote goes without saying.
 * @param events - oldest first
 * @returns user ids by event key; events nobody stopped at are absent
 */
export function receiptsByKey(
  events: readonly { key: string; sender: string; shown: boolean; readers: readonly string[] }[],
): Map<string, string[]> {
  const result = new Map<string, string[]>();
  let last: { key: string; sender: string } | undefined;
  for (const { key, sender, shown, readers } of events) {
    if (shown) last = { key, sender };
    const others = readers.filter((userId) => userId !== last?.sender);
    if (last === undefined || others.length === 0) continue;
    result.set(last.key, [...(result.get(last.key) ?? []), ...others]);
  }
  return result;
}
