import type { BigNode, Reads } from "../results.ts";
import { Floor } from "./floor.ts";
import { close, discard, type Hosted, host, mustBeAccepted, receive, takeIn } from "./hosted.ts";
import type { Means } from "./means.ts";
import { countReads } from "./reads.ts";
import { addNameChanges, joinAnswer, memberRoom } from "./rooms.ts";

/** State events after the join: the state before the last but one takes as many snapshots as it can. */
const CHANGES = 1_024;

let hosted: Hosted | undefined;
let question: { eventId: string; member: string; answer: string } | undefined;

/** A homeserver with one room of many members, and small ones; it stays open, so that its memory can be measured. */
export async function openBigNode(
  { servers, ed25519 }: Means,
  { members, smallRooms }: { members: number; smallRooms: number },
): Promise<BigNode> {
  hosted = await host(ed25519);
  const room = await memberRoom(servers, members);
  const answer = await joinAnswer(servers, room);
  const floor = new Floor([...answer.state, ...answer.authChain, answer.event], servers, ed25519);
  const floorMs = await floor.measure();
  const { read, durable } = await takeIn(hosted, answer, servers, ed25519);
  const flushing = performance.now();
  await hosted.storage.flushed();
  const stored = durable + performance.now() - flushing;
  const changes = await addNameChanges(servers, room.branch, { count: CHANGES, members, name: "Name" });
  const texts = changes.map(({ text }) => text);
  const options = { batch: 100, servers, ed25519 };
  mustBeAccepted((await receive(hosted, room.branch.roomId, texts, options)).verdicts);
  for (let i = 0; i < smallRooms; i++) {
    const small = await joinAnswer(servers, await memberRoom(servers, 20, i));
    await takeIn(hosted, small, servers, ed25519);
  }
  await hosted.storage.flushed();
  const [asked, stands] = [changes.at(-1)!, changes[0]!];
  question = { eventId: asked.eventId, member: stands.pdu.sender, answer: stands.eventId };
  return { floor: floorMs, read, durable, stored };
}

/** What it takes to find one entry of the state at an old event, when nothing is in memory. */
export async function readOldState({ ed25519 }: Means): Promise<Reads> {
  if (hosted === undefined || question === undefined) throw new Error("there is no big node");
  await close(hosted);
  const again = await host(ed25519, hosted.name);
  const { rooms } = again;
  const { eventId, member, answer } = question;
  let found: string | undefined;
  const reads = await countReads(async () => {
    const event = await rooms.eventById(eventId);
    const nid = await rooms.stateEntry(event!.stateBefore, "m.room.member", member);
    found = (await rooms.events([nid!]))[0]?.eventId;
  });
  if (found !== answer) throw new Error("the state at the old event is not what it was");
  await discard(again);
  return reads;
}
