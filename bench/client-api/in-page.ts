import type { Account, Latencies } from "../in-page.ts";

/* As in ../in-page.ts: each function stands alone. */

/** A request over the client API. */
export type Asked = { method: "GET" | "POST"; path: string; token: string; body?: object };

/** A request and a bare fetch in turns, so that both meet the same machine. */
export async function requestLatency(options: { asked: Asked; count: number }): Promise<Latencies> {
  const { method, path, token, body } = options.asked;
  const time = async (request: () => Promise<Response>) => {
    const started = performance.now();
    const response = await request();
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return performance.now() - started;
  };
  const headers = { authorization: `Bearer ${token}` };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const floor: number[] = [];
  const measured: number[] = [];
  for (let i = 0; i < options.count; i++) {
    floor.push(await time(() => fetch("/_hearth/v1/health")));
    measured.push(await time(() => fetch(path, init)));
  }
  return { floor, measured };
}

/** Where a first sync ends. */
export async function syncToken(account: Account): Promise<string> {
  const response = await fetch("/_matrix/client/v3/sync", {
    headers: { authorization: `Bearer ${account.token}` },
  });
  return ((await response.json()) as { next_batch: string }).next_batch;
}

/** Makes rooms, several at a time. */
export async function makeManyRooms(options: { owner: Account; count: number }): Promise<void> {
  const headers = { authorization: `Bearer ${options.owner.token}` };
  let next = 0;
  const maker = async () => {
    while (next < options.count) {
      const body = JSON.stringify({ name: `One of many ${next++}`, preset: "private_chat" });
      const response = await fetch("/_matrix/client/v3/createRoom", { method: "POST", headers, body });
      if (!response.ok) throw new Error(`createRoom: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 16 }, maker));
}

/** Lets accounts join rooms, several at a time. */
export async function joinAll(options: { accounts: Account[]; rooms: string[] }): Promise<void> {
  const { accounts, rooms } = options;
  let next = 0;
  const joiner = async () => {
    while (next < accounts.length * rooms.length) {
      const i = next++;
      const account = accounts[Math.floor(i / rooms.length)]!;
      const response = await fetch(`/_matrix/client/v3/join/${rooms[i % rooms.length]}`, {
        method: "POST",
        headers: { authorization: `Bearer ${account.token}` },
        body: "{}",
      });
      if (!response.ok) throw new Error(`join: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 16 }, joiner));
}

/**
 * A first sync with all members, and its floor: reading all events of the database in bulk, and writing the same answer
 * as JSON. In turns.
 */
export async function firstSync(options: { account: Account; rounds: number }): Promise<Latencies> {
  const headers = { authorization: `Bearer ${options.account.token}` };
  const name = (await indexedDB.databases())
    .map((db) => db.name ?? "")
    .find((one) => one.startsWith("hearth"));
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name ?? "");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const readEvents = () =>
    new Promise<{ json: string }[]>((resolve, reject) => {
      const request = db.transaction("events").objectStore("events").getAll();
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const floor: number[] = [];
  const measured: number[] = [];
  for (let i = 0; i < options.rounds; i++) {
    let started = performance.now();
    const text = await (await fetch("/_matrix/client/v3/sync", { headers })).text();
    measured.push(performance.now() - started);
    const answer: unknown = JSON.parse(text);
    started = performance.now();
    await readEvents();
    new TextEncoder().encode(JSON.stringify(answer));
    floor.push(performance.now() - started);
  }
  db.close();
  return { floor, measured };
}

/** A message in each room that has a word of its own. */
export async function sayRareWords(options: { account: Account; rooms: string[] }): Promise<void> {
  const headers = { authorization: `Bearer ${options.account.token}` };
  for (const room of options.rooms) {
    const body = JSON.stringify({ msgtype: "m.text", body: "Five ripe quinces on a plate." });
    const path = `/_matrix/client/v3/rooms/${room}/send/m.room.message/rare`;
    const response = await fetch(path, { method: "PUT", headers, body });
    if (!response.ok) throw new Error(`send: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
}
