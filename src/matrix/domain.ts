/**
 * What follows the first colon of an id, for comparison only; undefined for an id that has none. The ids of a
 * PDU have been checked by `parsePdu` already, but `redacts` may be any text, which must not throw here.
 */
export function domainOf(id: string): string | undefined {
  const colon = id.indexOf(":");
  return colon === -1 ? undefined : id.slice(colon + 1);
}
