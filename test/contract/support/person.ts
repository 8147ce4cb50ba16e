import type { JsonObject } from "../../../src/matrix/json.ts";
import { bridgeRegistration, bridgeToken } from "./bridge.ts";
import type { Homeserver, Send } from "./homeserver.ts";

export const password = "correct horse battery";
export const v1 = "/_matrix/client/v1";
export const v3 = "/_matrix/client/v3";
export const part = encodeURIComponent;

let counter = 0;
/** A word that nobody has used before. */
export const unique = (word: string) => `${word}${++counter}`;

/** Somebody with an account and a device: what a scenario sets up is done by people. */
export class Person {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  readonly refreshToken: string | undefined;
  readonly #send: Send;

  constructor(send: Send, session: JsonObject) {
    this.#send = send;
    this.userId = session.user_id as string;
    this.deviceId = session.device_id as string;
    this.token = session.access_token as string;
    this.refreshToken = session.refresh_token as string | undefined;
  }

  get = (path: string) => this.call("GET", path);
  put = (path: string, body: JsonObject = {}) => this.call("PUT", path, body);
  post = (path: string, body: JsonObject = {}) => this.call("POST", path, body);
  delete = (path: string) => this.call("DELETE", path);

  /** The answer of what must succeed: a scenario whose preparation fails says nothing about its own operation. */
  async call(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    const answer = await this.#send({ method, path, token: this.token, body });
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** The status of what need not succeed. */
  async status(method: string, path: string): Promise<number> {
    return (await this.#send({ method, path, token: this.token })).status;
  }

  /** @returns the id of a new room that anyone may enter */
  async room(options: JsonObject = {}): Promise<string> {
    const body = { preset: "public_chat", ...options };
    return (await this.post(`${v3}/createRoom`, body)).room_id as string;
  }

  /** @returns the id of the event */
  async say(roomId: string, content: string | JsonObject = "hello"): Promise<string> {
    const body = typeof content === "string" ? { msgtype: "m.text", body: content } : content;
    const path = `${v3}/rooms/${part(roomId)}/send/m.room.message/${unique("txn")}`;
    return (await this.put(path, body)).event_id as string;
  }

  join = (roomId: string) => this.post(`${v3}/join/${part(roomId)}`);
  state = (roomId: string, type: string, key = "") =>
    this.get(`${v3}/rooms/${part(roomId)}/state/${part(type)}/${part(key)}`);
  setState = (roomId: string, type: string, content: JsonObject, key = "") =>
    this.put(`${v3}/rooms/${part(roomId)}/state/${part(type)}/${part(key)}`, content);
  membershipOf = async (roomId: string, userId: string) =>
    (await this.state(roomId, "m.room.member", userId)).membership;
  event = (roomId: string, eventId: string) => this.get(`${v3}/rooms/${part(roomId)}/event/${part(eventId)}`);
  accountData = (type: string) => this.get(`${v3}/user/${part(this.userId)}/account_data/${part(type)}`);

  /** What user-interactive authentication takes as proof. */
  get auth(): JsonObject {
    return { type: "m.login.password", identifier: { type: "m.id.user", user: this.userId }, password };
  }

  /** A second device of the same person. */
  async login(more: JsonObject = {}): Promise<Person> {
    const { auth } = this;
    const session = await this.#send({ method: "POST", path: `${v3}/login`, body: { ...auth, ...more } });
    if (session.status !== 200) throw new Error(`login: ${session.status} ${session.text}`);
    return new Person(this.#send, session.body);
  }
}

/** Where scenarios take place. */
export type World = {
  send: Send;
  serverName: string;
  /** The owner of the homeserver: the first who registered. */
  owner: Person;
  /** Somebody new. */
  person: (more?: JsonObject) => Promise<Person>;
  /** An application service as its sender: see bridge.ts. */
  bridge: () => Promise<Person>;
};

export async function openWorld({ send, serverName, node }: Homeserver): Promise<World> {
  const person = async (more: JsonObject = {}) => {
    const body = { username: unique("person"), password, auth: { type: "m.login.dummy" }, ...more };
    const { status, text, body: session } = await send({ method: "POST", path: `${v3}/register`, body });
    if (status !== 200) throw new Error(`register: ${status} ${text}`);
    return new Person(send, session);
  };
  let bridge: Promise<Person> | undefined;
  const register = async () => {
    const { sender } = await node.appServices.add(JSON.stringify(bridgeRegistration));
    return new Person(send, { user_id: sender, device_id: "", access_token: bridgeToken });
  };
  const owner = await person();
  const bridged = () => {
    bridge ??= register();
    return bridge;
  };
  return { send, serverName, owner, person, bridge: bridged };
}
