import type { Times } from "../results.ts";
import { Floor } from "./floor.ts";
import { discard, host, takeIn } from "./hosted.ts";
import type { Means } from "./means.ts";
import { joinAnswer, memberRoom } from "./rooms.ts";

/** Takes in the answer to a join several times, each with the floor right before it. */
export async function joining(
  { servers, ed25519 }: Means,
  { members, rounds }: { members: number; rounds: number },
): Promise<Times[]> {
  const answer = await joinAnswer(servers, await memberRoom(servers, members));
  const floor = new Floor([...answer.state, ...answer.authChain, answer.event], servers, ed25519);
  const times: Times[] = [];
  for (let round = 0; round < rounds; round++) {
    const floorMs = await floor.measure();
    const hosted = await host(ed25519);
    const { durable } = await takeIn(hosted, answer, servers, ed25519);
    await discard(hosted);
    times.push({ floor: floorMs, measured: durable });
  }
  return times;
}
