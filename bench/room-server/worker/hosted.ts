import type { Ed25519 } from "../../../src/matrix/ed25519.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import { openIdentity } from "../../../src/worker-roomserver/node/identity.ts";
import type { InputVerdict } from "../../../src/worker-roomserver/room/input/api.ts";
import { makeRoomParts } from "../../../src/worker-roomserver/room/make-parts.ts";
import type { RoomParts } from "../../../src/worker-roomserver/room/parts.ts";
import { RoomServer } from "../../../src/worker-roomserver/room/room-server.ts";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { openStorage } from "../../../src/worker-roomserver/storage/storage.ts";
import { readEvents } from "./reading.ts";
import type { Servers } from "./servers.ts";
import { VERSION } from "./signed-room.ts";

/** A room server over a database of its own. */
export type Hosted = { name: string; storage: Storage; parts: RoomParts; rooms: RoomServer };

/** @param name - of a database that is there already */
export async function host(ed25519: Ed25519, name = `rooms-${crypto.randomUUID()}`): Promise<Hosted> {
  const storage = await openStorage({
    name,
    onStopped: (why) => console.error(`the benchmark's storage has stopped: ${why}`),
  });
  const answers = await Answers.open(storage, Date.now);
  const { serverName, key } = await openIdentity(storage, ed25519);
  const users = {
    isLocalAccount: () => Promise.resolve(false),
    findAccount: () => Promise.resolve(),
    memberProfile: () => Promise.resolve({}),
    erasedSince: () => undefined,
  };
  const accountData = { stored: () => Promise.resolve(undefined) };
  const appServices = { checkFree: () => undefined, findRoom: () => Promise.resolve() };
  const now = Date.now;
  const others = { users, accountData, appServices, roomVersion: () => VERSION };
  const parts = makeRoomParts({ storage, answers, ...others, now, serverName, key, ed25519 });
  const nobody = new Set<string>();
  const hooks = { onActivity: () => undefined, ignoredBy: () => Promise.resolve(nobody) };
  return { name, storage, parts, rooms: new RoomServer(parts, hooks) };
}

/** All that is in memory goes. */
export async function close({ storage }: Hosted): Promise<void> {
  await storage.flushed();
  storage.close();
}

/** What is not in its stores yet is not put there for this. */
export async function discard({ storage, name }: Hosted): Promise<void> {
  storage.close();
  await deleteDatabase(name);
}

/** From the texts of a join's answer to the room being durable. @returns milliseconds up to then, and on the way */
export async function takeIn(
  { parts }: Hosted,
  answer: { state: readonly string[]; authChain: readonly string[]; event: string },
  servers: Servers,
  ed25519: Ed25519,
): Promise<{ read: number; durable: number }> {
  const started = performance.now();
  const state = await readEvents(answer.state, servers, ed25519);
  const authChain = await readEvents(answer.authChain, servers, ed25519);
  const [event] = await readEvents([answer.event], servers, ed25519);
  const read = performance.now() - started;
  mustBeAccepted([await parts.input.takeInRoom({ version: VERSION, event: event!, state, authChain })]);
  return { read, durable: performance.now() - started };
}

/** From the texts of events to the last of them being durable. @returns milliseconds */
export async function receive(
  { parts }: Hosted,
  roomId: string,
  texts: readonly string[],
  { batch, servers, ed25519 }: { batch: number; servers: Servers; ed25519: Ed25519 },
): Promise<{ ms: number; verdicts: InputVerdict[] }> {
  const verdicts: InputVerdict[] = [];
  const started = performance.now();
  for (let first = 0; first < texts.length; first += batch) {
    const events = await readEvents(texts.slice(first, first + batch), servers, ed25519);
    for (const verdict of await parts.input.receive(roomId, events)) verdicts.push(verdict);
  }
  return { ms: performance.now() - started, verdicts };
}

export function mustBeAccepted(verdicts: readonly InputVerdict[]): void {
  const other = verdicts.find(({ outcome }) => outcome !== "accepted");
  if (other !== undefined) throw new Error(`an event was not accepted: ${JSON.stringify(other)}`);
}
