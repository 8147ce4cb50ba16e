import type { GraphParts } from "./parts.ts";

/** The rooms that both users are joined to. */
export async function sharedRooms(
  { memberships }: GraphParts,
  userId: string,
  otherUserId: string,
): Promise<string[]> {
  const [own, others] = await Promise.all([memberships.of(userId), memberships.of(otherUserId)]);
  return [...own.values()]
    .filter(({ membership, room }) => membership === "join" && others.get(room)?.membership === "join")
    .map(({ roomId }) => roomId);
}
