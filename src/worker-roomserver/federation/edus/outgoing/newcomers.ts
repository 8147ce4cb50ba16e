import { domainOf } from "../../../../matrix/domain.ts";
import type { PositionedEntry } from "../../../log/entry.ts";
import type { RoomForReaders } from "../../../room/api.ts";
import type { OutgoingEdu } from "../../api.ts";
import { type DeviceListSources, keysForNewServers } from "./device-lists.ts";
import { type PresenceSources, presenceEdus } from "./presence.ts";

/** Users of whom a server is told that comes to a room; of more, it learns with what changes. */
const MOST_INTRODUCED = 100;

export type NewcomerSources = DeviceListSources &
  PresenceSources & {
    room: Pick<RoomForReaders, "membershipOf" | "presentEvents" | "usersIn">;
    isLocal: (userId: string) => boolean;
  };

/**
 * Somebody may have come to a room: servers that did not share one with a user here before have to look at the user's
 * devices, and are told who is there. Cost: nothing in rooms of this server alone, else the member event, and the servers
 * of the user's rooms.
 */
export async function newcomersOf(
  sources: NewcomerSources,
  entry: PositionedEntry,
  userId: string,
): Promise<OutgoingEdu[]> {
  const { room, servers, isLocal } = sources;
  const others = await servers.othersIn(entry.room);
  if (others.length === 0 || (await room.membershipOf(userId, entry.room))?.membership !== "join") return [];
  const [event] = entry.event === 0 ? [] : await room.presentEvents([entry.event]);
  // A new name or picture.
  if (event?.replaced?.content.membership === "join") return [];
  return isLocal(userId) ? ofLocal(sources, entry, userId, others) : ofRemote(sources, entry, userId);
}

async function ofLocal(
  sources: NewcomerSources,
  entry: PositionedEntry,
  userId: string,
  others: readonly string[],
): Promise<OutgoingEdu[]> {
  const before = await sources.servers.sharingWith(userId, entry.room);
  const news = others.filter((server) => !before.has(server));
  if (news.length === 0) return [];
  const present = await presenceNow(sources, [userId], entry);
  return [...(await keysForNewServers(sources, userId, news)), ...presenceEdus(present, news, sources.now())];
}

async function ofRemote(
  sources: NewcomerSources,
  entry: PositionedEntry,
  userId: string,
): Promise<OutgoingEdu[]> {
  const server = domainOf(userId);
  const members = await sources.room.usersIn(entry.room, "join");
  const isFirst = members.every((other) => other === userId || domainOf(other) !== server);
  if (server === undefined || !isFirst) return [];
  const present = await presenceNow(
    sources,
    members.filter(sources.isLocal).slice(0, MOST_INTRODUCED),
    entry,
  );
  return presenceEdus(present, [server], sources.now());
}

/** Of those who are there. */
function presenceNow({ presence }: NewcomerSources, users: readonly string[], { position }: PositionedEntry) {
  return presence.changed(new Set(users), 0, position);
}
