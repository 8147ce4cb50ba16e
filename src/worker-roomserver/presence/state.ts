import type { PresenceState } from "./api.ts";

/** After the last activity, for so long `currently_active` stands for "now". */
export const ACTIVE_MS = 60_000;
/** Without activity for so long, a user counts as away. */
export const IDLE_MS = 5 * 60_000;
/** Without a sync for so long, a user is offline: clients are between two polls for a moment. */
export const OFFLINE_MS = 30_000;

/** What is known of a user's clients; their presence follows from it and the time. Times in milliseconds. */
export type Activity = {
  /** Syncs under way, by the `set_presence` that they came with. */
  online: number;
  unavailable: number;
  /** The word of the latest sync. */
  saysIdle: boolean;
  /** When last a sync was under way, or the user set a presence. */
  connectedTs: number;
  lastActiveTs: number;
  /** What the user has set, as long as it holds. */
  manual: "unavailable" | "offline" | undefined;
};

export type Seen = { presence: PresenceState; currentlyActive: boolean };

export const absent: Activity = {
  online: 0,
  unavailable: 0,
  saysIdle: false,
  connectedTs: Number.NEGATIVE_INFINITY,
  lastActiveTs: 0,
  manual: undefined,
};

const isSyncing = (activity: Activity) => activity.online + activity.unavailable > 0;

/** @see https://spec.matrix.org/v1.19/client-server-api/#presence */
export function presenceAt(activity: Activity, now: number): Seen {
  const { manual, saysIdle, connectedTs, lastActiveTs } = activity;
  const isConnected = isSyncing(activity) || now < connectedTs + OFFLINE_MS;
  if (manual === "offline" || !isConnected) return { presence: "offline", currentlyActive: false };
  const isIdle = manual === "unavailable" || saysIdle || now >= lastActiveTs + IDLE_MS;
  if (isIdle) return { presence: "unavailable", currentlyActive: false };
  return { presence: "online", currentlyActive: now < lastActiveTs + ACTIVE_MS };
}

/** When the presence may next change without anything being done; undefined if it will not. */
export function nextChangeAt(activity: Activity, now: number): number | undefined {
  if (presenceAt(activity, now).presence === "offline") return undefined;
  const { connectedTs, lastActiveTs } = activity;
  const changes = [lastActiveTs + ACTIVE_MS, lastActiveTs + IDLE_MS];
  if (!isSyncing(activity)) changes.push(connectedTs + OFFLINE_MS);
  const coming = changes.filter((change) => change > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/**
 * A sync has begun that shows its user as online or away. It takes back an `offline` that was set, not an
 * `unavailable`; coming online is an activity.
 */
export function syncBegun(activity: Activity, state: "online" | "unavailable", now: number): Activity {
  const wasOffline = presenceAt(activity, now).presence === "offline";
  const saysIdle = state === "unavailable" && activity.online === 0;
  return {
    ...activity,
    [state]: activity[state] + 1,
    saysIdle,
    manual: wasOffline ? undefined : activity.manual,
    lastActiveTs: wasOffline && !saysIdle ? now : activity.lastActiveTs,
  };
}

export function syncEnded(activity: Activity, state: "online" | "unavailable", now: number): Activity {
  return { ...activity, [state]: activity[state] - 1, connectedTs: now };
}

/** The user has done something. Whoever wants to be seen as offline is not given away by it. */
export function acted(activity: Activity, now: number): Activity {
  const manual = activity.manual === "unavailable" ? undefined : activity.manual;
  return { ...activity, lastActiveTs: now, saysIdle: false, manual };
}

/** The user has set a presence, which is an activity too. */
export function presenceSet(activity: Activity, state: PresenceState, now: number): Activity {
  return {
    ...activity,
    lastActiveTs: now,
    connectedTs: now,
    saysIdle: false,
    manual: state === "online" ? undefined : state,
  };
}
