import { evaluate, verdictOf } from "../../matrix/push-rules/evaluate.ts";
import { MAIN_TIMELINE, placeInThreads } from "../../matrix/threads.ts";
import type { PositionedEntry } from "../log/entry.ts";
import type { Effects } from "../log/reader.ts";
import type { StoredEvent } from "../room/api.ts";
import type { Nid } from "../storage/schema.ts";
import { EventContext } from "./event-context.ts";
import { LocalMembers } from "./local-members.ts";
import { type Notification, type NotificationListener, toRow } from "./notification.ts";
import type { PushOptions } from "./options.ts";
import { Preferences } from "./preferences.ts";
import { isCovered } from "./unread.ts";
import { UnreadChanges, type UnreadStore } from "./unread-store.ts";

/** Goes over the log, keeps what each user of this server has not read, and has them told of what is new. */
export class Judge {
  readonly #preferences: Preferences;
  readonly #unread: UnreadStore;
  readonly #options: PushOptions;
  readonly #members: LocalMembers;
  readonly #listeners: readonly NotificationListener[];

  constructor(options: PushOptions & { unread: UnreadStore }, listeners: readonly NotificationListener[]) {
    this.#options = options;
    this.#listeners = listeners;
    this.#preferences = new Preferences(options.accountData);
    this.#unread = options.unread;
    this.#members = new LocalMembers(options.room, options.serverName);
  }

  reset(): void {
    this.#preferences.reset();
    this.#unread.reset();
    this.#members.reset();
  }

  async handle(entries: readonly PositionedEntry[]): Promise<Effects | undefined> {
    const changes = new UnreadChanges();
    const inRooms = entries.filter((entry) => entry.topic === "room");
    const events = await this.#options.room.presentEvents(inRooms.map((entry) => entry.event));
    const byPosition = new Map(inRooms.map(({ position }, i) => [position, events[i]]));
    for (const entry of entries) {
      const event = byPosition.get(entry.position);
      if (event !== undefined) await this.#takeIn(event, changes);
      else if (entry.topic === "state" && entry.user !== 0) await this.#turn(entry, changes);
      else if (entry.topic === "receipt") await this.#read(entry, changes);
      else if (entry.topic === "purge") await this.#forgetPurged(entry, changes);
      else if (entry.topic === "accountData") {
        this.#preferences.changed(await this.#options.storage.names.text(entry.user), entry.detail);
      }
    }
    return changes.isEmpty ? undefined : (write) => changes.write(write);
  }

  async #takeIn(event: StoredEvent, changes: UnreadChanges): Promise<void> {
    const { pdu } = event;
    const members = await this.#members.before(event);
    await this.#notify(event, this.#audience(event, members), changes);
    if (this.#members.isLocal(pdu.sender) && !isProfileChange(event)) await this.#hasSpoken(event, changes);
    if (pdu.type === "m.room.redaction") await this.#forgetRedacted(event, members, changes);
    const { state_key: userId } = pdu;
    if (pdu.type !== "m.room.member" || userId === undefined) return;
    const current = await this.#options.room.stateEntry(event.current, "m.room.member", userId);
    // Another branch of the room has the last word. What came without the room has no state, and stands for itself.
    if (current !== event.nid && event.isOutOfBand !== true) return;
    this.#members.follow(event.room, userId, pdu.content.membership);
    const { room, order } = event;
    const { membership } = pdu.content;
    if (this.#members.isLocal(userId)) await this.#forgetRoom({ room, order, membership }, userId, changes);
  }

  /** A membership that has changed by what came from another branch of the room. */
  async #turn({ room, user, event, position }: PositionedEntry, changes: UnreadChanges): Promise<void> {
    const userId = await this.#options.storage.names.text(user);
    const [now] = event === 0 ? [] : await this.#options.room.events([event]);
    const membership = now?.pdu.content.membership ?? "leave";
    this.#members.follow(room, userId, membership);
    if (this.#members.isLocal(userId)) {
      await this.#forgetRoom({ room, order: position, membership }, userId, changes);
    }
  }

  /** Whose rules are to be asked: members, and who is invited by this event, but never the sender. */
  #audience({ pdu }: StoredEvent, members: ReadonlySet<string>): string[] {
    const audience = new Set(members);
    const isInvite = pdu.type === "m.room.member" && pdu.content.membership === "invite";
    if (isInvite && pdu.state_key !== undefined && this.#members.isLocal(pdu.state_key)) {
      audience.add(pdu.state_key);
    }
    audience.delete(pdu.sender);
    return [...audience];
  }

  async #notify(event: StoredEvent, audience: readonly string[], changes: UnreadChanges): Promise<void> {
    // By the time the reader comes to it the event may be gone, and with it what there was to be told.
    if (audience.length === 0 || event.status !== 0 || event.redactedBy !== "") return;
    const about = new EventContext(this.#options.room, event, () => this.#members.count(event.room));
    const json = { ...event.pdu, room_id: event.roomId };
    const { room, order } = event;
    const ts = this.#options.now();
    let thread: string | undefined;
    for (const userId of audience) {
      const { rules, ignored } = await this.#preferences.of(userId);
      if (ignored.has(event.pdu.sender)) continue;
      const actions = await evaluate(rules, json, about.for(userId));
      const { notify, highlight } = verdictOf(actions);
      if (!notify) continue;
      thread ??= await this.#threadOf(event);
      const user = await this.#nid(userId);
      const unread = await this.#unread.of(user, room);
      const notification: Notification = { order, event: event.nid, room, highlight, ts, actions };
      changes.add(unread, [user, room, order], [event.nid, highlight ? 1 : 0, thread]);
      changes.note(user, order, toRow(notification));
      for (const listener of this.#listeners) listener.notified(userId, notification);
    }
  }

  /**
   * Who sends an event has read what comes before it in its thread. A change of profile is sent to all rooms at
   * once and says nothing of the kind.
   * @see https://spec.matrix.org/v1.19/client-server-api/#marking-notifications-as-read
   */
  async #hasSpoken(event: StoredEvent, changes: UnreadChanges): Promise<void> {
    const { room, order: position } = event;
    const { sender } = event.pdu;
    if ((await this.#unread.of(await this.#nid(sender), room)).size === 0) return;
    const own = await this.#threadOf(event);
    const isRead = (order: number, thread: string) => thread === own && order <= position;
    await this.#remove(sender, { room, position }, changes, isRead);
  }

  async #forgetRedacted(
    redaction: StoredEvent,
    members: ReadonlySet<string>,
    changes: UnreadChanges,
  ): Promise<void> {
    const targetId = redaction.pdu.content.redacts ?? redaction.pdu.redacts;
    const target = typeof targetId === "string" ? await this.#options.room.eventById(targetId) : undefined;
    // A redaction that had no effect leaves its target as it was.
    if (target === undefined || target.room !== redaction.room || target.redactedBy === "") return;
    const { room, order: position } = redaction;
    const audience = this.#audience(target, members);
    for (const userId of audience) {
      await this.#remove(userId, { room, position }, changes, (order) => order === target.order);
    }
  }

  /** Who is in the room no more, or not yet, has nothing unread there, except the invitation itself. */
  async #forgetRoom(
    to: { room: Nid; order: number; membership: unknown },
    userId: string,
    changes: UnreadChanges,
  ): Promise<void> {
    const { room, membership, order: position } = to;
    if (membership === "join") return;
    const isRead = (order: number) => order < position || membership !== "invite";
    await this.#remove(userId, { room, position }, changes, isRead);
  }

  /** The rows are gone with the room, but for those that this reader has yet to write. */
  async #forgetPurged({ room, user, position }: PositionedEntry, changes: UnreadChanges): Promise<void> {
    this.#members.drop(room);
    if (user === 0) return;
    const userId = await this.#options.storage.names.text(user);
    await this.#remove(userId, { room, position }, changes, () => true);
  }

  /** Which receipts there are is read anew: a later one than this entry's only shows sooner. */
  async #read({ room, user, position }: PositionedEntry, changes: UnreadChanges): Promise<void> {
    const userId = await this.#options.storage.names.text(user);
    if (!this.#members.isLocal(userId)) return;
    if ((await this.#unread.of(user, room)).size === 0) return;
    const receipts = await this.#options.receipts.own(userId, room);
    const isRead = (order: number, thread: string) => isCovered(order, thread, receipts);
    await this.#remove(userId, { room, position }, changes, isRead);
  }

  async #remove(
    userId: string,
    { room, position }: { room: Nid; position: number },
    changes: UnreadChanges,
    isRead: (order: number, thread: string) => boolean,
  ): Promise<void> {
    const user = await this.#nid(userId);
    if (!changes.remove(await this.#unread.of(user, room), user, room, isRead)) return;
    for (const listener of this.#listeners) listener.read(userId, room, position);
  }

  async #threadOf(event: StoredEvent): Promise<string> {
    if (event.pdu.content["m.relates_to"] === undefined) return MAIN_TIMELINE;
    const contentOf = async (eventId: string) => {
      const parent = await this.#options.room.eventById(eventId);
      return parent?.room === event.room ? parent.pdu.content : undefined;
    };
    return (await placeInThreads(event.pdu.content, contentOf)).thread;
  }

  #nid(userId: string): Promise<Nid> {
    return this.#options.storage.names.intern(userId);
  }
}

/** A new name or avatar: its sender was in the room before. */
const isProfileChange = ({ pdu, replaced }: StoredEvent) =>
  pdu.type === "m.room.member" &&
  pdu.state_key === pdu.sender &&
  pdu.content.membership === "join" &&
  replaced?.content.membership === "join";
