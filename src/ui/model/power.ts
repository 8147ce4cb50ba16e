import type { Content } from "./timeline-event.ts";

/** What decides who may do what in a room. */
export type RoomPower = {
  /** The content of m.room.power_levels; null when the room has none. */
  levels: Content | null;
  creators: readonly string[];
  /** From room version 12 on, creators are above every level. */
  creatorsAboveAll: boolean;
};

/** Versions before 12 give a creator no power that m.room.power_levels does not. */
const versionsWithOrdinaryCreators = new Set(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);

/** @see https://spec.matrix.org/v1.19/rooms/v12/ */
export function roomPower(
  create: { sender: string; content: Content } | null,
  levels: Content | null,
): RoomPower {
  if (!create) return { levels, creators: [], creatorsAboveAll: false };
  const version = create.content.room_version ?? "1";
  const creatorsAboveAll = !versionsWithOrdinaryCreators.has(String(version));
  const additional = create.content.additional_creators;
  const more = Array.isArray(additional)
    ? additional.filter((id): id is string => typeof id === "string")
    : [];
  return {
    levels,
    creators: creatorsAboveAll ? [create.sender, ...more] : [create.sender],
    creatorsAboveAll,
  };
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels */
export function powerOf(power: RoomPower, userId: string): number {
  const isCreator = power.creators.includes(userId);
  if (isCreator && power.creatorsAboveAll) return Number.POSITIVE_INFINITY;
  if (power.levels === null) return isCreator ? 100 : 0;
  return entry(power.levels.users, userId) ?? level(power.levels.users_default) ?? 0;
}

/** The power an action needs; kick, ban and redact are 50 where nothing else is said, invite is 0. */
export function powerFor(power: RoomPower, action: "invite" | "kick" | "ban" | "redact"): number {
  return level(power.levels?.[action]) ?? (action === "invite" ? 0 : 50);
}

export function mayDo(
  power: RoomPower,
  userId: string,
  action: "invite" | "kick" | "ban" | "redact",
): boolean {
  return powerOf(power, userId) >= powerFor(power, action);
}

/** Kicks and bans also need more power than their target has. */
export function mayDoTo(power: RoomPower, userId: string, action: "kick" | "ban", target: string): boolean {
  return mayDo(power, userId, action) && powerOf(power, userId) > powerOf(power, target);
}

export function maySend(power: RoomPower, userId: string, type: string, isState: boolean): boolean {
  const fallback = isState
    ? (level(power.levels?.state_default) ?? (power.levels ? 50 : 0))
    : (level(power.levels?.events_default) ?? 0);
  return powerOf(power, userId) >= (entry(power.levels?.events, type) ?? fallback);
}

/** The word for a member's power. */
export function roleOf(power: RoomPower, userId: string): string {
  const value = powerOf(power, userId);
  if (value === Number.POSITIVE_INFINITY) return "Creator";
  if (value >= 100) return "Admin";
  if (value >= 50) return "Moderator";
  return value < 0 ? "Muted" : "Member";
}

function entry(map: unknown, key: string): number | undefined {
  if (typeof map !== "object" || map === null || !Object.hasOwn(map, key)) return undefined;
  return level((map as Content)[key]);
}

/** Room versions up to 9 allow numbers as strings. */
function level(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : undefined;
}
