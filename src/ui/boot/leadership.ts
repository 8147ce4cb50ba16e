/**
 * How a time as leader ended: `again` where this page may be elected another time, else for good.
 */
export type EndOfLead = "again" | "for good";

/**
 * Takes part in the election of the leading tab for as long as the page lives. The lock is held for life by the
 * page that leads. Every other tab waits for it, which also keeps the browser from freezing the leader.
 * @param lead - called each time this page is elected; leads until its promise settles
 * @param follow - called when another tab leads
 */
export async function takePart(
  lockName: string,
  lead: () => Promise<EndOfLead>,
  follow: () => void,
): Promise<void> {
  let end: EndOfLead;
  do {
    // First without waiting, to learn whether somebody else leads.
    const outcome = await navigator.locks.request(lockName, { ifAvailable: true }, (lock) =>
      lock === null ? ("taken" as const) : lead(),
    );
    if (outcome === "taken") {
      follow();
      end = await navigator.locks.request(lockName, lead);
    } else {
      end = outcome;
    }
  } while (end === "again");
}
