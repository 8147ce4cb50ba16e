import { StateResolver } from "../../../src/worker-roomserver/room/state/resolver.ts";
import type { MergeTimes } from "../results.ts";
import { Floor } from "./floor.ts";
import { close, discard, type Hosted, host, mustBeAccepted, receive, takeIn } from "./hosted.ts";
import type { Means } from "./means.ts";
import { addSide, joinAnswer, memberRoom } from "./rooms.ts";
import type { Servers } from "./servers.ts";
import { rules } from "./signed-room.ts";

/**
 * A room that has forked, each side with as many state events of the same entries, and events that merge it. The room
 * server is opened anew before each: nothing of the room is in memory, and no state has been resolved.
 */
export async function merging(
  means: Means,
  { each, rounds }: { each: number; rounds: number },
): Promise<MergeTimes[]> {
  const { servers, ed25519 } = means;
  const { room, answer, sides, tips, merges } = await forkedRoom(servers, each, rounds);
  const { roomId } = room.branch;
  const all = [...answer.state, ...answer.authChain, answer.event, ...sides.flat(), merges[0]!];
  const floor = new Floor(all, servers, ed25519);
  const options = { batch: 100, servers, ed25519 };

  let hosted = await host(ed25519);
  await takeIn(hosted, answer, servers, ed25519);
  mustBeAccepted((await receive(hosted, roomId, sides[0]!, options)).verdicts);
  // Some of these are not allowed any more by what the other side did.
  const { ms: second } = await receive(hosted, roomId, sides[1]!, options);
  const reopen = async () => {
    await close(hosted);
    hosted = await host(ed25519, hosted.name);
  };
  const times: MergeTimes[] = [];
  for (const text of merges) {
    const floorMs = await floor.measure();
    await reopen();
    const resolution = await resolutionAlone(means, hosted, tips);
    await reopen();
    const merged = await receive(hosted, roomId, [text], options);
    mustBeAccepted(merged.verdicts);
    times.push({ floor: floorMs, merge: merged.ms, ...resolution, second });
  }
  await discard(hosted);
  return times;
}

async function forkedRoom(servers: Servers, each: number, merges: number) {
  const room = await memberRoom(servers, each);
  const answer = await joinAnswer(servers, room);
  const [left, right] = [room.branch.fork(), room.branch.fork()];
  const { creator } = room;
  const sides = [
    await addSide(servers, left, { creator, count: each, name: "left" }),
    await addSide(servers, right, { creator, count: each, name: "right" }),
  ];
  const merge = async (body: string) => {
    const branch = left.fork();
    branch.merge(right);
    const content = { msgtype: "m.text", body };
    return (await branch.add({ type: "m.room.message", sender: creator, content })).text;
  };
  return {
    room,
    answer,
    sides: sides.map((side) => side.map(({ text }) => text)),
    tips: sides.map((side) => side.at(-1)!.eventId),
    merges: await Promise.all(Array.from({ length: merges }, (_, i) => merge(`We have met again, ${i}.`))),
  };
}

/** The states after two events made one: with nothing in memory, and then again with the events that it takes. */
async function resolutionAlone(
  { ed25519 }: Means,
  { storage, parts }: Hosted,
  tips: readonly string[],
): Promise<{ cold: number; warm: number }> {
  const { events, snapshots, graphs } = parts;
  const time = async () => {
    const resolver = new StateResolver({ storage, events, snapshots, graphs, ed25519 });
    const started = performance.now();
    const found = await events.byIds(tips);
    const states = await Promise.all(found.map((event) => snapshots.chain(event!.stateAfter)));
    await resolver.resolve({ nid: found[0]!.room, rules }, states);
    return performance.now() - started;
  };
  return { cold: await time(), warm: await time() };
}
