import { createHmac, randomUUID } from "node:crypto";
import { SHARED_SECRET } from "./synapse.ts";

type Server = { serverName: string; clientUrl: string };
// biome-ignore lint/suspicious/noExplicitAny: answers of two servers, of which each test looks at what it wants.
type Json = any;
export type MatrixEvent = {
  event_id: string;
  type: string;
  sender: string;
  state_key?: string;
  content: Json;
  unsigned?: Json;
};
export type Answer = { status: number; json: Json };

/** Milliseconds until what one has done must have reached the other. */
const PATIENCE = 30_000;

/** Somebody with an account on one of the servers, who asks by HTTP as any client does. */
export class Person {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  readonly server: Server;

  constructor(server: Server, login: { user_id: string; device_id: string; access_token: string }) {
    this.server = server;
    this.userId = login.user_id;
    this.deviceId = login.device_id;
    this.token = login.access_token;
  }

  /** @param path - what follows `/_matrix/client/v3`, or the whole of it */
  async ask(
    method: string,
    path: string,
    body?: object | string | Uint8Array<ArrayBuffer>,
    type?: string,
  ): Promise<Answer> {
    const whole = path.startsWith("/_matrix/") ? path : `/_matrix/client/v3${path}`;
    const isPlain = typeof body === "object" && !(body instanceof Uint8Array);
    const response = await fetch(this.server.clientUrl + whole, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": type ?? "application/json" },
      ...(body !== undefined && { body: isPlain ? JSON.stringify(body) : (body as BodyInit) }),
    });
    const text = await response.text();
    return { status: response.status, json: text.startsWith("{") ? JSON.parse(text) : text };
  }

  /** The same for what has to go well. @throws Error with what was answered instead */
  async do(...asked: Parameters<Person["ask"]>): Promise<Json> {
    const { status, json } = await this.ask(...asked);
    if (status === 200) return json;
    throw new Error(`${this.userId}: ${asked[0]} ${asked[1]}: ${status} ${JSON.stringify(json)}`);
  }

  async createRoom(body: object = {}): Promise<string> {
    return (await this.do("POST", "/createRoom", body)).room_id;
  }

  async invite(roomId: string, other: Person): Promise<void> {
    await this.do("POST", `/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: other.userId });
  }

  /** @param via - somebody whose server is in the room */
  join(roomIdOrAlias: string, via?: Person): Promise<Answer> {
    const query =
      via === undefined ? "" : `?server_name=${via.server.serverName}&via=${via.server.serverName}`;
    return this.ask("POST", `/join/${encodeURIComponent(roomIdOrAlias)}${query}`, {});
  }

  leave(roomId: string): Promise<Json> {
    return this.do("POST", `/rooms/${encodeURIComponent(roomId)}/leave`, {});
  }

  /** @returns the event's id */
  async say(roomId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", { msgtype: "m.text", body });
  }

  async send(roomId: string, type: string, content: object): Promise<string> {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/${type}/${randomUUID()}`;
    return (await this.do("PUT", path, content)).event_id;
  }

  async redact(roomId: string, eventId: string): Promise<void> {
    const path = `/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/${randomUUID()}`;
    await this.do("PUT", path, {});
  }

  /** The newest events of a room, the oldest first. */
  async timeline(roomId: string, limit = 50): Promise<MatrixEvent[]> {
    const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=${limit}`;
    return (await this.do("GET", path)).chunk.reverse();
  }

  /** Texts of the messages of a room, the oldest first. */
  async texts(roomId: string): Promise<string[]> {
    const messages = (await this.timeline(roomId)).filter(({ type }) => type === "m.room.message");
    return messages.map(({ content }) => content.body ?? "");
  }

  async sync(): Promise<Json> {
    return this.do("GET", "/sync?timeout=0");
  }

  /** Waits until what a client of theirs is told has something in it. @returns that */
  sees<T>(what: string, look: (sync: Json) => T | undefined | false): Promise<T> {
    return this.eventually(what, async () => look(await this.sync()));
  }

  /** Waits until something is there. @throws Error where it does not come */
  async eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > deadline) throw new Error(`${this.userId}: ${what} has not come`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  hears(roomId: string, text: string): Promise<boolean> {
    return this.eventually(`"${text}"`, async () => (await this.texts(roomId)).includes(text));
  }

  isInvited(roomId: string): Promise<Json> {
    return this.sees("the invite", ({ rooms }) => rooms?.invite?.[roomId]);
  }

  /** Waits until somebody's membership is such. */
  sawMembership(roomId: string, other: Person, membership: string): Promise<boolean> {
    const path = `/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(other.userId)}`;
    return this.eventually(`${other.userId} as ${membership}`, async () => {
      const { status, json } = await this.ask("GET", path);
      return status === 200 && json.membership === membership;
    });
  }
}

/** Makes an account by the shared secret, which both servers understand. */
export async function personAt(server: Server, username: string): Promise<Person> {
  const url = `${server.clientUrl}/_synapse/admin/v1/register`;
  const { nonce } = await (await fetch(url)).json();
  const password = "correct horse battery";
  const mac = createHmac("sha1", SHARED_SECRET)
    .update([nonce, username, password, "notadmin"].join("\0"))
    .digest("hex");
  const body = JSON.stringify({ nonce, username, password, mac });
  const response = await fetch(url, { method: "POST", body });
  if (!response.ok) throw new Error(`${username} could not be registered: ${await response.text()}`);
  return new Person(server, await response.json());
}
