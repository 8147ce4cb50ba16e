import { forbidden, MatrixError } from "../../matrix/errors.ts";
import { parseRoomId } from "../../matrix/identifiers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { Nid, Position, ReceiptRow } from "../storage/schema.ts";
import type {
  HeardReceipt,
  Receipt,
  ReceiptRequest,
  Receipts,
  ReceiptsForReaders,
  ReceiptsForServers,
} from "./api.ts";
import { receiptTarget } from "./target.ts";

export type ReceiptsOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "eventById" | "membershipOf" | "nid">;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** A marker that is to be moved: its row, still without a position. */
type Move = Omit<ReceiptRow, "p">;

/**
 * Receipts in the store `receipts`. The marker `m.fully_read` has a row there as well, for its order; what users
 * see of it is account data of the room, written in the same unit.
 */
export class StoredReceipts implements Receipts, ReceiptsForReaders, ReceiptsForServers {
  readonly #storage: Storage;
  readonly #room: ReceiptsOptions["room"];
  readonly #now: () => number;
  /** A user's markers are compared and moved one request after the other. */
  readonly #lock = new KeyedLock<string>();

  constructor(options: ReceiptsOptions) {
    this.#storage = options.storage;
    this.#room = options.room;
    this.#now = options.now;
  }

  async set({ userId }: Requester, receipts: ReceiptRequest[]): Promise<void> {
    const ts = this.#now();
    await this.#lock.run(userId, async () => {
      const wanted = await Promise.all(receipts.map((receipt) => this.#wanted(userId, receipt, ts)));
      await this.#store(wanted);
    });
  }

  async hear(userId: string, { ts, ...receipt }: HeardReceipt): Promise<void> {
    await this.#lock.run(userId, async () => {
      try {
        // Nobody has read anything in the future.
        const move = await this.#wanted(userId, { ...receipt, type: "m.read" }, Math.min(ts, this.#now()));
        await this.#store([move]);
      } catch (error) {
        if (!(error instanceof MatrixError) || error.status >= 500) throw error;
      }
    });
  }

  async changed(room: Nid, userId: string, after: Position, upTo: Position): Promise<Receipt[]> {
    if (after >= upTo) return [];
    const range = IDBKeyRange.bound([room, after], [room, upTo], true, false);
    const rows = await this.#storage.fromIndex("receipts", "position", range);
    const receipts = await Promise.all(rows.filter(isReceipt).map((row) => this.#named(row)));
    return receipts.filter((receipt) => receipt.type !== "m.read.private" || receipt.userId === userId);
  }

  async own(userId: string, room: Nid): Promise<Receipt[]> {
    const user = await this.#storage.names.find(userId);
    if (user === undefined) return [];
    const rows = await this.#storage.fromIndex("receipts", "user", IDBKeyRange.only([user, room]));
    return rows.filter(isReceipt).map((row) => ({ ...row, userId }));
  }

  async #store(wanted: readonly Move[]): Promise<void> {
    const moves: Move[] = [];
    for (const move of wanted) if (await this.#isAhead(move, moves)) moves.push(move);
    if (moves.length === 0) return;
    await this.#storage.commit((write) => {
      for (const move of moves) writeMove(write, move);
    });
  }

  async #wanted(userId: string, request: ReceiptRequest, ts: number): Promise<Move> {
    const room = await this.#joinedRoom(userId, request.roomId);
    const event = await receiptTarget(this.#room, room, request);
    return this.#move(userId, request, event, ts);
  }

  async #joinedRoom(userId: string, roomId: string): Promise<Nid> {
    const room = await this.#room.nid(parseRoomId(roomId));
    const info = room === undefined ? undefined : await this.#room.membershipOf(userId, room);
    if (info?.membership !== "join") throw forbidden("You are not in this room.");
    return info.room;
  }

  async #move(userId: string, request: ReceiptRequest, event: StoredEvent, ts: number): Promise<Move> {
    return {
      r: event.room,
      u: await this.#storage.names.intern(userId),
      type: request.type,
      thread: request.threadId ?? "",
      eventId: event.eventId,
      order: event.order,
      ts,
    };
  }

  /** Whether the marker is now further back, on the disk and among the moves that come before in the request. */
  async #isAhead(move: Move, before: readonly Move[]): Promise<boolean> {
    const stored = await this.#storage.get("receipts", [move.r, move.type, move.u, move.thread]);
    const same = before.filter(
      (other) => other.r === move.r && other.type === move.type && other.thread === move.thread,
    );
    return [...same, ...(stored === undefined ? [] : [stored])].every((other) => other.order < move.order);
  }

  async #named(row: ReceiptRow): Promise<Receipt> {
    return { ...row, userId: await this.#storage.names.text(row.u) };
  }
}

const isReceipt = (row: ReceiptRow) => row.type !== "m.fully_read";

function writeMove(write: Write, move: Move): void {
  const { r: room, u: user, type, eventId } = move;
  if (type !== "m.fully_read") {
    const p = write.append({ topic: "receipt", room, user, detail: type });
    write.put("receipts", { ...move, p });
    return;
  }
  const p = write.append({ topic: "accountData", room, user, detail: type });
  write.put("receipts", { ...move, p });
  write.put("accountData", { u: user, r: room, type, json: JSON.stringify({ event_id: eventId }), p });
}
