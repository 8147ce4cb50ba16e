import { invalidParam, notFound } from "../../matrix/errors.ts";
import { parseEventId, parseRoomId, parseUserId, serverNameOf } from "../../matrix/identifiers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { ReportRow } from "../storage/schema.ts";
import type { UsersForComponents } from "../users/api.ts";
import type { Complaint, Report, Reports, ReportsForOwner, Subject } from "./api.ts";

/** Characters: enough to say what is wrong. */
export const longestReason = 2_000;
/** Of one user: the oldest make room, so that a flood pushes nobody else's out and the disk does not fill. */
export const keptOfOne = 200;
const largestPage = 500;

export type ReportsOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "nid" | "membershipOf" | "eventById" | "mayUserSee">;
  users: Pick<UsersForComponents, "isLocalAccount">;
  serverName: string;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** A subject as it is stored, once it has been looked up. */
type Known = { roomId: string; eventId?: string } | { userId: string };

/** @see https://spec.matrix.org/v1.19/client-server-api/#reporting-content */
export class StoredReports implements Reports, ReportsForOwner {
  readonly #with: ReportsOptions;
  /** Reports are numbered one after the other. */
  readonly #lock = new KeyedLock<"reports">();

  constructor(options: ReportsOptions) {
    this.#with = options;
  }

  async report(requester: Requester, subject: Subject, complaint: Complaint): Promise<void> {
    const { reason = "", score } = complaint;
    if (reason.length > longestReason) {
      throw invalidParam(`A reason has at most ${longestReason} characters.`);
    }
    const known = await this.#known(requester, subject);
    const { storage, now } = this.#with;
    const by = requester.userId;
    await this.#lock.run("reports", async () => {
      const [newest, own] = await Promise.all([
        storage.getAllKeys("reports", undefined, 1),
        storage.keysFromIndex("reports", "by", IDBKeyRange.only(by)),
      ]);
      const n = (newest[0] ?? 0) - 1;
      const row: ReportRow = { n, by, at: now(), reason, ...(score !== undefined && { score }), ...known };
      await storage.commit((write) => {
        for (const old of own.slice(keptOfOne - 1)) write.delete("reports", old);
        write.put("reports", row);
      });
    });
  }

  async list(page: {
    from?: number | undefined;
    limit: number;
  }): Promise<{ reports: Report[]; next?: number }> {
    const limit = Math.min(Math.max(page.limit, 1), largestPage);
    const range = page.from === undefined ? undefined : IDBKeyRange.lowerBound(-page.from);
    const rows = await this.#with.storage.getAll("reports", range, limit + 1);
    const following = rows[limit];
    return {
      reports: rows.slice(0, limit).map(described),
      ...(following !== undefined && { next: -following.n }),
    };
  }

  async get(id: number): Promise<Report> {
    const row = await this.#with.storage.get("reports", -id);
    if (row === undefined) throw notFound("There is no such report.");
    return described(row);
  }

  dismiss(id: number): Promise<void> {
    return this.#with.storage.commit((write) => write.delete("reports", -id));
  }

  async #known(requester: Requester, subject: Subject): Promise<Known> {
    if ("userId" in subject) return this.#user(subject.userId);
    if (subject.eventId === undefined) return this.#room(subject.roomId);
    return this.#event(requester, subject.roomId, subject.eventId);
  }

  /** Of other servers' users it is not known here which there are. */
  async #user(text: string): Promise<Known> {
    const userId = parseUserId(text);
    const { users, serverName } = this.#with;
    const isLocal = serverNameOf(userId) === serverName;
    if (isLocal && !(await users.isLocalAccount(userId))) throw notFound("There is no such user.");
    return { userId };
  }

  async #room(text: string): Promise<Known> {
    const roomId = parseRoomId(text);
    const room = await this.#with.room.nid(roomId);
    const row = room === undefined ? undefined : await this.#with.storage.get("rooms", room);
    if (row === undefined) throw notFound("This server does not know the room.");
    return { roomId };
  }

  async #event(requester: Requester, roomId: string, text: string): Promise<Known> {
    const eventId = parseEventId(text);
    const { room } = this.#with;
    const event = await room.eventById(eventId);
    if (event?.roomId === parseRoomId(roomId)) {
      const info = await room.membershipOf(requester.userId, event.room);
      if (info?.membership === "join" && (await room.mayUserSee(requester.userId, event))) {
        return { roomId, eventId };
      }
    }
    throw notFound("There is no such event, or you are not in its room.");
  }
}

function described({ n, by, at, reason, score, ...subject }: ReportRow): Report {
  return {
    id: -n,
    by,
    at,
    reason,
    ...(score !== undefined && { score }),
    ...("userId" in subject
      ? { user_id: subject.userId }
      : {
          room_id: subject.roomId,
          ...(subject.eventId !== undefined && { event_id: subject.eventId }),
        }),
  };
}
