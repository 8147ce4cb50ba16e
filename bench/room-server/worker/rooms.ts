import type { Servers } from "./servers.ts";
import { Branch, type Said, type SignedEvent } from "./signed-room.ts";

/** A room with its history in a line, and the way on from there. */
export type MadeRoom = { branch: Branch; events: SignedEvent[]; creator: string };

const BEGINNING = 1_700_000_000_000;

export const userId = (servers: Servers, number: number) => `@user${number}:${servers.at(number)}`;

const join = (user: string, displayname: string): Said => ({
  type: "m.room.member",
  sender: user,
  stateKey: user,
  content: { membership: "join", displayname },
});

/**
 * A public room with as many members besides its creator. Every second one has changed their name since they joined:
 * their first membership is no part of the state any more, but what authorises the second.
 * @param number - of rooms with as many members each needs its own
 */
export async function memberRoom(servers: Servers, members: number, number = 0): Promise<MadeRoom> {
  const creator = `@creator:${servers.at(0)}`;
  const branch = Branch.ofNewRoom(servers, BEGINNING + number);
  const events: SignedEvent[] = [];
  const add = async (said: Said) => {
    events.push(await branch.add(said));
  };
  const state = (type: string, content: Said["content"]) =>
    add({ type, sender: creator, stateKey: "", content });
  await state("m.room.create", { room_version: "12" });
  await add(join(creator, "Creator"));
  await state("m.room.power_levels", { users: { [userId(servers, 0)]: 50 }, state_default: 0 });
  await state("m.room.join_rules", { join_rule: "public" });
  await state("m.room.history_visibility", { history_visibility: "shared" });
  await state("m.room.name", { name: `A room of ${members}` });
  for (let i = 0; i < members; i++) {
    const user = userId(servers, i);
    await add(join(user, `User ${i}`));
    if (i % 2 === 1) await add(join(user, `User number ${i}`));
  }
  return { branch, events, creator };
}

/** The answer to a join: the state before it, what else authorises that, and the join itself. */
export async function joinAnswer(
  servers: Servers,
  { branch, events }: MadeRoom,
  joiner = `@joiner:${servers.at(0)}`,
): Promise<{ state: string[]; authChain: string[]; event: string }> {
  const state = new Set(branch.state);
  const { text } = await branch.add(join(joiner, "Joiner"));
  return {
    state: [...state].map((event) => event.text),
    authChain: events.filter((event) => !state.has(event)).map((event) => event.text),
    event: text,
  };
}

/** Mostly messages; every tenth is a member who changes their name. */
export async function addLine(
  servers: Servers,
  branch: Branch,
  { count, members }: { count: number; members: number },
): Promise<SignedEvent[]> {
  const line: SignedEvent[] = [];
  for (let i = 0; i < count; i++) {
    const sender = userId(servers, i % members);
    const body = `Message ${i}: some words as people write them, no more.`;
    const message = { type: "m.room.message", sender, content: { msgtype: "m.text", body } };
    line.push(await branch.add(i % 10 === 9 ? join(sender, `User, then ${i}`) : message));
  }
  return line;
}

/** Members who change their names, one after the other. */
export async function addNameChanges(
  servers: Servers,
  branch: Branch,
  { count, members, name }: { count: number; members: number; name: string },
): Promise<SignedEvent[]> {
  const changes: SignedEvent[] = [];
  for (let i = 0; i < count; i++) {
    changes.push(await branch.add(join(userId(servers, i % members), `${name} ${i}`)));
  }
  return changes;
}

/**
 * One side of a fork: of ten state events seven are members who change their names, one is a state event of an
 * entry of its own, one a ban, and one the power levels. Both sides have the same entries, each with events of its own.
 */
export async function addSide(
  servers: Servers,
  branch: Branch,
  { creator, count, name }: { creator: string; count: number; name: string },
): Promise<SignedEvent[]> {
  const said = (i: number): Said => {
    const user = userId(servers, i + 1);
    const by = { sender: creator, stateKey: "" };
    if (i % 10 === 7) return { ...by, type: "org.example.note", stateKey: `${i}`, content: { name } };
    if (i % 10 === 8) {
      return { ...by, type: "m.room.member", stateKey: user, content: { membership: "ban", reason: name } };
    }
    if (i % 10 === 9) {
      const users = { [userId(servers, 0)]: 50, [user]: (i % 7) + (name === "left" ? 1 : 10) };
      return { ...by, type: "m.room.power_levels", content: { users, state_default: 0 } };
    }
    return join(user, `User on the ${name} ${i}`);
  };
  const side: SignedEvent[] = [];
  for (let i = 0; i < count; i++) side.push(await branch.add(said(i)));
  return side;
}
