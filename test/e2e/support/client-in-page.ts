/*
 * What a client does, as functions that run inside a page: they are sent there as text, so each is complete in
 * itself. They report to the test through `window.report`, which outlives the page.
 */

/** Where and as whom a client speaks: `base` without a slash at its end. */
export type Login = { base: string; token: string };

export type TimelineEvent = {
  event_id: string;
  type: string;
  sender: string;
  content: { body?: string; padding?: string; padding_length?: number };
};

export type ToDeviceEvent = { type: string; content: { n: string } };

/** What a client reports. `eventId`: or what else was answered. */
export type Report =
  | { kind: "asks"; sender: string; number: number }
  | { kind: "acknowledged"; sender: string; number: number; eventId: string }
  /** `status` is 0 where no answer came at all. */
  | { kind: "refused"; sender: string; number: number; status: number }
  | {
      kind: "synced";
      observer: string;
      nextBatch: string;
      timelines: Record<string, TimelineEvent[]>;
      toDevice: ToDeviceEvent[];
    };

declare global {
  interface Window {
    /** @returns whether to go on */
    report(entry: Report): Promise<boolean>;
  }
}

export type SendOrder = Login & {
  roomId: string;
  sender: string;
  /** Number of the first message: it names the body and the transaction. */
  from: number;
  /** Sends what was not acknowledged again, under the same transaction id; the others give it up. */
  patient: boolean;
};

/** Sends numbered messages, each after the answer to the one before, until it is told to stop. */
export async function sendMessages({ base, token, roomId, sender, from, patient }: SendOrder): Promise<void> {
  const put = (number: number) =>
    fetch(
      `${base}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${sender}-${number}`,
      {
        method: "PUT",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          msgtype: "m.text",
          body: `${sender} ${number}`,
          // Some are long, so that a write takes longer than a moment.
          padding: "x".repeat(number % 5 === 0 ? 30_000 : 10),
          padding_length: number % 5 === 0 ? 30_000 : 10,
        }),
      },
    );
  let number = from;
  while (await window.report({ kind: "asks", sender, number })) {
    const response = await put(number).catch(() => undefined);
    const answer = response?.status === 200 ? await response.json().catch(() => undefined) : undefined;
    if (answer !== undefined) {
      await window.report({ kind: "acknowledged", sender, number, eventId: answer.event_id });
      number += 1;
      continue;
    }
    await window.report({ kind: "refused", sender, number, status: response?.status ?? 0 });
    if (!patient) number += 1;
    const seconds = Number(response?.headers.get("retry-after") ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  }
}

export type WriteOrder = Login & {
  sender: string;
  /** Number of the first request. */
  from: number;
  method: string;
  /** Below `/_matrix/`. In it and in the body, `{n}` stands for the number, and `{item}` for the item of that number. */
  path: string;
  body: object;
  items?: readonly string[];
  /** The body is not JSON, but as many bytes as the number says, each its place and the number. */
  isBytes?: boolean;
  /** Four hexadecimal digits, others for each writer: the request is named by them and by the number. */
  name: string;
};

/** Makes numbered requests, each again until it is answered, until there is nothing more to do or it is told to stop. */
export async function writeOn(order: WriteOrder): Promise<void> {
  const { base, token, sender, from, method, items, isBytes, name } = order;
  for (let number = from; number < (items?.length ?? Number.POSITIVE_INFINITY); number++) {
    const filled = (text: string) =>
      text.replaceAll("{n}", String(number)).replaceAll("{item}", items?.[number] ?? "");
    const length = 1 + ((number * 7_919) % 200_000);
    const body = isBytes
      ? new Blob([Uint8Array.from({ length }, (_, i) => (number + i) & 255)])
      : filled(JSON.stringify(order.body));
    const request = `0000${name}-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
    for (let isDone = false; !isDone; ) {
      if (!(await window.report({ kind: "asks", sender, number }))) return;
      const response = await fetch(`${base}/_matrix/${filled(order.path)}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "x-hearth-request": request },
        body,
      }).catch(() => undefined);
      const answer = response?.status === 200 ? await response.text().catch(() => undefined) : undefined;
      isDone = answer !== undefined;
      if (answer !== undefined) {
        await window.report({ kind: "acknowledged", sender, number, eventId: answer });
        continue;
      }
      await window.report({ kind: "refused", sender, number, status: response?.status ?? 0 });
      const seconds = Number(response?.headers.get("retry-after") ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
    }
  }
}

export type FollowOrder = Login & { observer: string; since: string | undefined };

/** Syncs, and fetches what a sync leaves out, until it is told to stop. */
export async function followSync({ base, token, observer, since: start }: FollowOrder): Promise<void> {
  const get = async (path: string) => {
    const response = await fetch(`${base}/_matrix/client/v3/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    }).catch(() => undefined);
    return response?.status === 200 ? response.json().catch(() => undefined) : undefined;
  };
  /** What lies between a gap's newer end and `since`, oldest first; undefined when the server went away. */
  const fillGap = async (roomId: string, newerEnd: string, since: string | undefined) => {
    const found: TimelineEvent[] = [];
    let from: string | undefined = newerEnd;
    while (from !== undefined) {
      const to = since === undefined ? "" : `&to=${encodeURIComponent(since)}`;
      const query: string = `dir=b&limit=20&from=${encodeURIComponent(from)}${to}`;
      const page = await get(`rooms/${encodeURIComponent(roomId)}/messages?${query}`);
      if (page === undefined) return undefined;
      found.unshift(...page.chunk.reverse());
      from = page.end;
    }
    return found;
  };
  let since = start;
  let goOn = true;
  while (goOn) {
    const position = since === undefined ? "" : `&since=${encodeURIComponent(since)}`;
    const answer = await get(`sync?timeout=10000${position}`);
    if (answer === undefined) continue;
    const timelines: Record<string, TimelineEvent[]> = {};
    let whole = true;
    for (const [roomId, { timeline }] of Object.entries<{
      timeline: { limited: boolean; prev_batch: string; events: TimelineEvent[] };
    }>(answer.rooms?.join ?? {})) {
      const gap = timeline.limited ? await fillGap(roomId, timeline.prev_batch, since) : [];
      if (gap === undefined) whole = false;
      else timelines[roomId] = [...gap, ...timeline.events];
    }
    if (!whole) continue;
    since = answer.next_batch as string;
    const toDevice: ToDeviceEvent[] = answer.to_device?.events ?? [];
    goOn = await window.report({ kind: "synced", observer, nextBatch: since, timelines, toDevice });
  }
}

export type HistoryOrder = Login & { roomId: string; dir: "b" | "f"; limit: number };

/** Pages through all of a room's history. @returns its events in the order of the pages */
export async function readHistory({
  base,
  token,
  roomId,
  dir,
  limit,
}: HistoryOrder): Promise<TimelineEvent[]> {
  const events: TimelineEvent[] = [];
  let from: string | undefined;
  do {
    const query: string = `dir=${dir}&limit=${limit}${from === undefined ? "" : `&from=${encodeURIComponent(from)}`}`;
    const response: Response = await fetch(
      `${base}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?${query}`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    if (response.status !== 200) throw new Error(`/messages: ${response.status} ${await response.text()}`);
    const page: { chunk: TimelineEvent[]; end?: string } = await response.json();
    events.push(...page.chunk);
    from = page.end;
  } while (from !== undefined);
  return events;
}

export type CallOrder = { base: string; token?: string; method: string; path: string; body?: unknown };

/** One request. @returns its answer */
export async function call({ base, token, method, path, body }: CallOrder): Promise<Record<string, never>> {
  const response = await fetch(`${base}/_matrix/client/v3/${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}
