import type { Times } from "../results.ts";
import { Floor } from "./floor.ts";
import { discard, host, mustBeAccepted, receive, takeIn } from "./hosted.ts";
import type { Means } from "./means.ts";
import { addLine, joinAnswer, memberRoom } from "./rooms.ts";

/** Takes in a room's events one after the other, in batches, each round with the floor right before it. */
export async function replaying(
  { servers, ed25519 }: Means,
  { events, members, batch, rounds }: { events: number; members: number; batch: number; rounds: number },
): Promise<Times[]> {
  const room = await memberRoom(servers, members);
  const answer = await joinAnswer(servers, room);
  const line = await addLine(servers, room.branch, { count: events, members });
  const texts = line.map(({ text }) => text);
  const floor = new Floor(texts, servers, ed25519);
  const times: Times[] = [];
  for (let round = 0; round < rounds; round++) {
    const floorMs = await floor.measure();
    const hosted = await host(ed25519);
    await takeIn(hosted, answer, servers, ed25519);
    await hosted.storage.flushed();
    const { ms, verdicts } = await receive(hosted, room.branch.roomId, texts, { batch, servers, ed25519 });
    mustBeAccepted(verdicts);
    await discard(hosted);
    times.push({ floor: floorMs, measured: ms });
  }
  return times;
}
