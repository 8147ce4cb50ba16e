/*
 * What runs inside the page. Each function is sent to the browser as text, so it stands alone: nothing from outside
 * its own body but its one argument.
 */

export type Account = { userId: string; token: string };
export type Latencies = { floor: number[]; measured: number[] };

/** Resolves once the page is controlled and its homeserver answers. */
export async function untilUp(): Promise<void> {
  const container = navigator.serviceWorker;
  if (container.controller === null) {
    await new Promise((resolve) => container.addEventListener("controllerchange", resolve, { once: true }));
  }
  while (!(await fetch("/_hearth/v1/info")).ok);
}

/** Long enough for a homeserver that nobody asks anything to have done what it does in calm moments. */
export async function rest(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_500));
}

/** Registers an account over the client API. */
export async function register(username: string): Promise<Account> {
  const response = await fetch("/_matrix/client/v3/register", {
    method: "POST",
    body: JSON.stringify({ username, password: `pass ${username}`, auth: { type: "m.login.dummy" } }),
  });
  if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`);
  const { user_id, access_token } = (await response.json()) as { user_id: string; access_token: string };
  return { userId: user_id, token: access_token };
}

/** Makes rooms by one account, with others in them. @returns the room ids */
export async function makeRooms(options: {
  owner: Account;
  others: Account[];
  count: number;
}): Promise<string[]> {
  const call = async (token: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { room_id: string };
  };
  const rooms: string[] = [];
  for (let i = 0; i < options.count; i++) {
    const body = { name: `Room ${i}`, preset: "public_chat" };
    const { room_id } = await call(options.owner.token, "/_matrix/client/v3/createRoom", body);
    for (const { token } of options.others) await call(token, `/_matrix/client/v3/join/${room_id}`, {});
    rooms.push(room_id);
  }
  return rooms;
}

/** Sends `count` messages spread over the rooms, `underWay` at a time. @returns milliseconds for all */
export async function sendMany(options: {
  account: Account;
  rooms: string[];
  count: number;
  underWay: number;
  prefix: string;
}): Promise<number> {
  const { account, rooms, count, underWay, prefix } = options;
  const headers = { authorization: `Bearer ${account.token}` };
  let next = 0;
  const sender = async () => {
    while (next < count) {
      const i = next++;
      const room = rooms[i % rooms.length] ?? "";
      const response = await fetch(`/_matrix/client/v3/rooms/${room}/send/m.room.message/${prefix}${i}`, {
        method: "PUT",
        headers,
        body: JSON.stringify({
          msgtype: "m.text",
          body: `Message ${i}: some words as people write them, no more.`,
        }),
      });
      if (!response.ok) throw new Error(`send: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: underWay }, sender));
  return performance.now() - started;
}

/** The same number of fetches that the service worker answers alone. */
export async function floorMany(options: { count: number; underWay: number }): Promise<number> {
  let next = 0;
  const fetcher = async () => {
    while (next++ < options.count) await (await fetch("/_hearth/v1/health")).arrayBuffer();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: options.underWay }, fetcher));
  return performance.now() - started;
}

/** A send and a bare fetch in turns, so that both meet the same machine. */
export async function sendLatency(options: {
  account: Account;
  room: string;
  count: number;
}): Promise<Latencies> {
  const headers = { authorization: `Bearer ${options.account.token}` };
  const floor: number[] = [];
  const measured: number[] = [];
  const time = async (request: () => Promise<Response>) => {
    const started = performance.now();
    await (await request()).arrayBuffer();
    return performance.now() - started;
  };
  for (let i = 0; i < options.count; i++) {
    floor.push(await time(() => fetch("/_hearth/v1/health")));
    measured.push(
      await time(() =>
        fetch(`/_matrix/client/v3/rooms/${options.room}/send/m.room.message/latency${i}`, {
          method: "PUT",
          headers,
          body: JSON.stringify({
            msgtype: "m.text",
            body: `Message ${i}: some words as people write them, no more.`,
          }),
        }),
      ),
    );
  }
  return { floor, measured };
}

/** From a send to the answer of another user's waiting sync. */
export async function syncLatency(options: {
  sender: Account;
  reader: Account;
  room: string;
  count: number;
}): Promise<Latencies> {
  const floor: number[] = [];
  const measured: number[] = [];
  const sync = async (since: string) => {
    const query = since === "" ? "timeout=0" : `timeout=20000&since=${since}`;
    const headers = { authorization: `Bearer ${options.reader.token}` };
    const response = await fetch(`/_matrix/client/v3/sync?${query}`, { headers });
    return (await response.json()) as { next_batch: string; rooms?: { join?: Record<string, unknown> } };
  };
  let since = (await sync("")).next_batch;
  // Threads that have slept take their time to wake up: both are measured after the same pause.
  const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
  for (let i = 0; i < options.count; i++) {
    await pause();
    const bare = performance.now();
    await (await fetch("/_hearth/v1/health")).arrayBuffer();
    floor.push(performance.now() - bare);

    const answer = sync(since);
    // The sync has to be waiting: a bare fetch sent after it has been answered once it is.
    await (await fetch("/_hearth/v1/health")).arrayBuffer();
    await pause();
    const started = performance.now();
    const sent = fetch(`/_matrix/client/v3/rooms/${options.room}/send/m.room.message/sync${i}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${options.sender.token}` },
      body: JSON.stringify({ msgtype: "m.text", body: `Message ${i}` }),
    });
    let result = await answer;
    while (result.rooms?.join?.[options.room] === undefined) result = await sync(result.next_batch);
    measured.push(performance.now() - started);
    since = result.next_batch;
    await (await sent).arrayBuffer();
  }
  return { floor, measured };
}

/** Runs before the page's own code: asks for an initial sync as soon as anything can answer it. */
export function syncOnOpening(token: string): void {
  const ask = async () => {
    const container = navigator.serviceWorker;
    await container.ready;
    if (container.controller === null) {
      await new Promise((resolve) => container.addEventListener("controllerchange", resolve, { once: true }));
    }
    const headers = { authorization: `Bearer ${token}` };
    const filter = JSON.stringify({ room: { timeline: { limit: 20 }, state: { lazy_load_members: true } } });
    for (;;) {
      const response = await fetch(`/_matrix/client/v3/sync?filter=${encodeURIComponent(filter)}`, {
        headers,
      });
      if (response.status === 503) continue;
      const text = await response.text();
      if (!response.ok) throw new Error(`sync: ${response.status} ${text}`);
      Object.assign(window, { benchSync: { ms: performance.now(), bytes: text.length } });
      return;
    }
  };
  void ask();
}

/** Resolves with what `syncOnOpening` has measured. */
export async function untilSynced(): Promise<{ ms: number; bytes: number }> {
  for (;;) {
    const { benchSync } = window as { benchSync?: { ms: number; bytes: number } };
    if (benchSync !== undefined) return benchSync;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Bytes of the events' JSON text, and what the browser says the origin stores of them. */
export async function storedBytes(): Promise<{ json: number; events: number; usage: number }> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
  let json = 0;
  let events = 0;
  for (const name of names.filter((one) => one.startsWith("hearth"))) {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const encoder = new TextEncoder();
    await new Promise<void>((resolve, reject) => {
      const cursor = db.transaction("events").objectStore("events").openCursor();
      cursor.onerror = () => reject(cursor.error);
      cursor.onsuccess = () => {
        const row = cursor.result;
        if (row === null) return resolve();
        json += encoder.encode((row.value as { json: string }).json).length;
        events += 1;
        row.continue();
      };
    });
    db.close();
  }
  const estimate = (await navigator.storage.estimate()) as {
    usageDetails?: { indexedDB?: number; fileSystem?: number };
  };
  // Not what the page's own code takes in caches.
  const { indexedDB: database = 0, fileSystem: journal = 0 } = estimate.usageDetails ?? {};
  return { json, events, usage: database + journal };
}
