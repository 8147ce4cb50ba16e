import { domainOf } from "../../../../matrix/domain.ts";
import type { JsonValue } from "../../../../matrix/json.ts";
import type { StoredEvent } from "../../api.ts";
import type { SnapshotChain } from "../../snapshots.ts";
import { visibilityOf } from "../../visibility.ts";
import type { ServerView } from "./api.ts";
import { entriesOf } from "./entries.ts";
import { eventsIn, knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";
import { ServerMembers } from "./server-members.ts";

/** Which of these events a server may see. */
export async function visibleToServer(
  parts: GraphParts,
  roomId: string,
  serverName: string,
  eventIds: readonly string[],
): Promise<ServerView[]> {
  const room = await knownRoom(parts, roomId);
  const server = { name: serverName, members: new ServerMembers(parts, room, serverName) };
  const views: ServerView[] = [];
  // One after the other: what one has led to is known for the next.
  for (const event of await eventsIn(parts, room, eventIds)) {
    const isErased = parts.users.erasedSince(event.pdu.sender) !== undefined;
    views.push({
      event,
      isVisible: await (isErased ? wasThere(parts, server, event) : maySee(parts, server, event)),
    });
  }
  return views;
}

/** Of who had their content erased only those servers get more than what redaction leaves that got it when it was sent. */
async function wasThere(
  parts: GraphParts,
  { name, members }: { name: string; members: ServerMembers },
  event: StoredEvent,
): Promise<boolean> {
  if (event.isOutlier) return true;
  if (membershipGiven(event, name) === "join") return true;
  return members.haveIn(await parts.snapshots.chain(event.stateBefore), false);
}

async function maySee(
  parts: GraphParts,
  { name, members }: { name: string; members: ServerMembers },
  event: StoredEvent,
): Promise<boolean> {
  if (event.isOutlier) return true;
  const before = await parts.snapshots.chain(event.stateBefore);
  const visibilities = await visibilitiesAround(parts, before, event);
  if (visibilities.includes("world_readable")) return true;
  if (visibilities.includes("shared")) {
    const until = await members.joinedUntil();
    // What has no place in the timeline was not sent before anything.
    if (until === Number.POSITIVE_INFINITY || (event.order !== 0 && event.order <= until)) return true;
  }
  const orInvited = visibilities.includes("invited");
  const given = membershipGiven(event, name);
  return given === "join" || (given === "invite" && orInvited) || members.haveIn(before, orInvited);
}

/** The settings before and after an event: a change of the setting is seen by whom either lets see it. */
async function visibilitiesAround(
  parts: GraphParts,
  before: SnapshotChain,
  event: StoredEvent,
): Promise<string[]> {
  const [nid] = await entriesOf(parts, before, [["m.room.history_visibility", ""]]);
  const setting = nid === undefined ? undefined : await parts.events.getOne(nid);
  const { pdu, status } = event;
  const isChange = pdu.type === "m.room.history_visibility" && pdu.state_key === "" && status !== 1;
  return [visibilityOf(setting), ...(isChange ? [visibilityOf(event)] : [])];
}

/** The membership that the event itself gives to a user of the server: they see it as one who has that. */
function membershipGiven({ pdu, status }: StoredEvent, serverName: string): JsonValue | undefined {
  const isTheirs = pdu.type === "m.room.member" && domainOf(pdu.state_key ?? "") === serverName;
  return isTheirs && status !== 1 ? pdu.content.membership : undefined;
}
