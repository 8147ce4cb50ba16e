import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Write } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";
import type { Belongings } from "../users/api.ts";

/** Contents by device id, or under `*` for all devices that are not named beside it, by user id. */
export type MessagesByUser = Record<string, Record<string, JsonObject>>;

export type SendToDevice = { eventType: string; txnId: string; messages: MessagesByUser };

/** Messages that are for devices and stand in no room. */
export interface ToDevice {
  /**
   * `PUT /sendToDevice/{eventType}/{txnId}`: all of it is stored in one unit, or nothing. The same transaction of the
   * same device sends nothing a second time. Users and devices that are not there are passed over, as senders cannot
   * know; what is for users of other servers is put into `toDeviceOutbox`.
   *
   * Cost: reads the transactions of the sender's device once, and the devices of each recipient here; writes a row and
   * an entry of the log for each device, and for each 64 KiB that go to another server.
   * @throws MatrixError M_INVALID_PARAM 400 for what is no user id or too long a name; M_TOO_LARGE 413 for a content of
   *   more than 65,535 bytes, or more than 32 MiB for all devices together, here or elsewhere
   * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid
   */
  send(requester: Requester, message: SendToDevice): Promise<void>;
}

/** What an EDU `m.direct_to_device` of another server says. */
export type ReceivedMessages = {
  /** A user of that server. */
  sender: string;
  type: string;
  messageId: string;
  messages: MessagesByUser;
};

/** For federation. */
export interface ToDeviceForServers {
  /**
   * Puts what another server has sent into the queues of devices here, in one unit; the same message id of the same
   * server has no effect a second time, for a week. What is for users of other servers is passed over.
   * @throws MatrixError as ToDevice.send does
   */
  receive(origin: string, received: ReceivedMessages): Promise<void>;
}

/** An EDU `m.direct_to_device` that waits for another server. */
export type OutboxMessage = {
  position: Position;
  content: { sender: string; type: string; message_id: string; messages: MessagesByUser };
};

/** For who sends to other servers. Each message has an entry `toDevice` in the log, with the server as its detail. */
export interface ToDeviceOutbox {
  /** What waits for a server after a position, the oldest first. One range of rows, of some 64 KiB each at most. */
  waitingFor(server: string, after: Position, limit: number): Promise<OutboxMessage[]>;
  /** The server has everything up to the position. */
  sent(write: Write, server: string, upTo: Position): void;
}

/** One message, and the place in the log at which it was sent: higher than that of all before it. */
export type ToDeviceMessage = {
  position: Position;
  /** As it goes to the device: `type`, `sender`, `content`. */
  event: JsonObject;
};

export type ToDevicePage = {
  /** Oldest first. */
  messages: ToDeviceMessage[];
  /** Everything up to here is in this page: the last message's position where more are left, else what was asked for. */
  upTo: Position;
};

/**
 * For who hands messages to their devices: sync in both forms, dehydrated devices, application services. Each message
 * has an entry `toDevice` in the log, of its recipient (`user`) and the device (`detail`).
 *
 * Whoever hands out a page gives a token that says its `upTo`. Once the client comes back with that token it has the
 * page: `delivered` then, and not before.
 */
export interface ToDeviceForReaders {
  /**
   * What waits for a device with `after < position <= upTo`, the oldest `limit` of it. What was said to be delivered is
   * not among it. `upTo` must be durable (`storage.position`).
   *
   * Cost: one range of at most `limit` + 1 rows, of up to 64 KiB each.
   */
  messages(
    userId: string,
    deviceId: string,
    page: { after: Position; upTo: Position; limit: number },
  ): Promise<ToDevicePage>;
  /**
   * The device has all messages up to this position: they are removed, with the next checkpoint. Said again after a
   * crash, it is done again. Cost: nothing where nothing was handed out since, else one range in a lazy unit.
   */
  delivered(userId: string, deviceId: string, upTo: Position): void;
  /** Takes a message out of the queue of its device, in the unit that keeps it for the device elsewhere. One range. */
  take(write: Write, userId: string, deviceId: string, position: Position): void;
}

/** For who removes devices: what waits for one goes with it, and messages under way to it are dropped. */
export type ToDeviceForUsers = Required<Pick<Belongings, "removal">>;
