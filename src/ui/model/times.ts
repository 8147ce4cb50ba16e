const dayLength = 24 * 60 * 60 * 1000;

/** Whether two times (ms since 1970) fall on the same day of the user's calendar. */
export function isSameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** The time of day, as `14:05` or `2:05 PM`. */
export function timeOfDay(ts: number): string {
  return new Date(ts).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
}

/** Date and time in full, for tooltips. */
export function fullTime(ts: number): string {
  return new Date(ts).toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" });
}

/** The heading over a day's messages. */
export function dayLabel(ts: number, now: number): string {
  if (isSameDay(ts, now)) return "Today";
  if (isSameDay(ts, now - dayLength)) return "Yesterday";
  const thisYear = new Date(ts).getFullYear() === new Date(now).getFullYear();
  return new Date(ts).toLocaleDateString(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(thisYear ? {} : { year: "numeric" }),
  });
}

/** When a room was last active, short enough for its line in the list. */
export function shortTime(ts: number, now: number): string {
  if (isSameDay(ts, now)) return timeOfDay(ts);
  if (now - ts < 6 * dayLength) return new Date(ts).toLocaleDateString(undefined, { weekday: "short" });
  return new Date(ts).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}
