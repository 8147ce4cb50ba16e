import type { Generation, Write } from "../../storage/api.ts";
import type { Nid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { isPresent, type LocalMember } from "./members.ts";
import { withBases } from "./states.ts";

/**
 * Ends a room's life on this server, in one unit: nobody finds it any more, and `purges` says that its data is to be
 * removed (remove.ts does that). To be called in the room's lock.
 *
 * Of users of this server who are out of the room their last member event stays, aside of any timeline, with a
 * membership that counts as forgotten: another device of theirs has yet to be told that they have left, and sync
 * gives it that event and nothing else. Who is still in the room disappears from it without a word.
 *
 * Costs a few rows for each user of this server, whatever the room's size.
 * @param room.basis - the generation from before `members` were read
 * @param members - all those of this server, as memory has them
 * @throws CommitSuperseded when what `members` rests on has failed
 */
export async function endRoom(
  parts: RoomParts,
  { room, roomId, basis }: { room: Nid; roomId: string; basis: Generation },
  members: readonly LocalMember[],
): Promise<void> {
  const { storage, events, memberships, heads, recent } = parts;
  const aliases = await storage.keysFromIndex("aliases", "room", IDBKeyRange.only(roomId));
  const last = await events.present(members.map(({ info }) => info.event));
  const kept: (StoredEvent | undefined)[] = members.map((member, i) =>
    isPresent(member) || last[i] === undefined ? undefined : aside(last[i]),
  );
  // Those that no other event may name: what these are made of goes along, here as with every event.
  const states = await withBases(
    storage,
    last.flatMap((event, i) =>
      event === undefined || kept[i] === undefined
        ? []
        : [event.stateBefore, event.stateAfter, event.current],
    ),
  );
  let numbers = storage.numbers;
  const durable = storage.commit(
    (write) => {
      numbers = storage.numbers;
      // What is removed must never give its number away: a purge that goes on later would take another room's row.
      write.put("meta", numbers, "numbers");
      for (const [i, { userId, user, info }] of members.entries()) {
        const event = kept[i];
        if (event === undefined) memberships.remove(write, userId, user, room);
        else {
          events.update(write, event);
          memberships.set(write, userId, user, { ...info, forgotten: true });
        }
        removeOwnData(write, user, room);
      }
      for (const state of states) write.delete("snapshots", state);
      for (const alias of aliases) write.delete("aliases", alias);
      write.delete("published", room);
      write.delete("rooms", room);
      heads.drop(roomId, room);
      const users = members.length > 0 ? members.map(({ user }) => user) : [0];
      let since = 0;
      for (const user of users) since = write.append({ topic: "purge", room, user });
      write.put("purges", { since }, room);
    },
    { basis },
  );
  const nids = kept.flatMap((event) => event?.nid ?? []);
  try {
    await durable;
  } catch (error) {
    events.settled(nids, false);
    throw error;
  }
  events.settled(nids, true);
  // Before anything is removed: from here on nobody looks at what is left on the disk.
  events.purge(room, numbers.eventNid);
  recent.purge(room);
}

/** What remains of an event when nothing that it refers to is there any more. */
function aside(event: StoredEvent): StoredEvent {
  const { redaction: _, replaced: __, authPdu: ___, ...rest } = event;
  return {
    ...rest,
    order: 0,
    stateBefore: 0,
    stateAfter: 0,
    current: 0,
    extremities: [],
    isOutlier: true,
    afterGap: false,
    redactedBy: "",
    replaces: 0,
  };
}

/** What the user has set for the room, and has not read there. */
function removeOwnData(write: Write, user: Nid, room: Nid): void {
  const range = IDBKeyRange.bound([user, room], [user, room, []]);
  write.delete("accountData", range);
  write.delete("pushActions", range);
}
