import { ratioOf } from "../room-server/figures.ts";
import { type Ask as AskOf, withWorker } from "../room-server/with-worker.ts";
import type { Figure } from "../table.ts";
import type { Measurements } from "./results.ts";

/*
 * A whole node that speaks with other servers, in a dedicated worker of a real browser. The other servers are made up in
 * the same thread, so nothing of a network is in the figures but what is said of it.
 */

const MISSED = 10_000;
const SERVERS = 200;
const HANGING = 50;
/** How long a server takes to answer. */
const ANSWER_MS = 50;

type Ask = AskOf<Measurements>;

const parts: { [name: string]: (ask: Ask, say: (text: string) => void) => Promise<Figure[]> } = {
  "catch-up": catchUpFigures,
  "many-servers": manyServersFigures,
};

/** @param part - one of them, or all */
export async function federationFigures(
  part: string | undefined,
  say: (text: string) => void,
): Promise<Figure[]> {
  return withWorker<Measurements, Figure[]>("bench/federation/worker/main.ts", async (ask) => {
    const figures: Figure[] = [];
    for (const [name, run] of Object.entries(parts)) {
      if (part === undefined || part === name) figures.push(...(await run(ask, say)));
    }
    return figures;
  });
}

async function catchUpFigures(ask: Ask, say: (text: string) => void): Promise<Figure[]> {
  // Until the engine has compiled what is used all the time.
  await ask("catchUp", { events: 1_000, members: 100 });
  say(`catching up with ${MISSED} missed events`);
  const times = [];
  for (let round = 0; round < 3; round++) {
    times.push(await ask("catchUp", { events: MISSED, members: 100 }));
  }
  const name = `catch-up of ${MISSED} missed events, from opening`;
  const ofRooms = times.map(({ rooms, measured }) => ({ floor: rooms, measured }));
  return [
    ratioOf(`${name} (floor: the room server alone)`, ofRooms, "most", 2),
    ratioOf(`${name} (floor: parsing, verifying, one write)`, times, "none", 0),
  ];
}

async function manyServersFigures(ask: Ask, say: (text: string) => void): Promise<Figure[]> {
  say(`a first message to ${SERVERS} servers, of which ${HANGING} hang`);
  const argument = { servers: SERVERS, hanging: HANGING, answerMs: ANSWER_MS };
  await ask("manyServers", argument);
  const times = [];
  for (let round = 0; round < 3; round++) {
    const { without, with: measured } = await ask("manyServers", argument);
    times.push({ floor: without, measured });
  }
  const name = `first message to ${SERVERS - HANGING} servers, beside ${HANGING} that hang (floor: none hangs)`;
  return [ratioOf(name, times, "most", 1.5)];
}
