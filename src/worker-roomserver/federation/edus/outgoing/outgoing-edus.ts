import { domainOf } from "../../../../matrix/domain.ts";
import type { PositionedEntry } from "../../../log/entry.ts";
import type { OutgoingEdu, OutgoingEdus } from "../../api.ts";
import type { FederationOptions } from "../../context.ts";
import type { RoomServers } from "../room-servers.ts";
import { keyChangesOf } from "./device-lists.ts";
import { messagesFor } from "./messages.ts";
import { type NewcomerSources, newcomersOf } from "./newcomers.ts";
import { presenceOf } from "./presence.ts";
import { receiptsOf } from "./receipts.ts";
import { OutgoingTyping } from "./typing.ts";
import { UpdateChain } from "./update-chain.ts";

export type OutgoingOptions = Pick<
  FederationOptions,
  "storage" | "serverName" | "now" | "room" | "keys" | "presence" | "receipts" | "typing" | "toDevice"
> & { servers: RoomServers };

/** Follows no log itself: it is handed the entries in their order. */
export class LoggedEdus implements OutgoingEdus {
  readonly #with: OutgoingOptions & NewcomerSources;
  readonly #typing: OutgoingTyping;
  readonly #chain: UpdateChain;

  constructor(options: OutgoingOptions) {
    const isLocal = (userId: string) => domainOf(userId) === options.serverName;
    this.#chain = new UpdateChain(options.storage);
    this.#with = { ...options, isLocal, chain: this.#chain };
    this.#typing = new OutgoingTyping(this.#with);
  }

  async of(entry: PositionedEntry): Promise<OutgoingEdu[]> {
    switch (entry.topic) {
      case "typing":
        return this.#typing.of(entry);
      case "room":
      case "state":
        return entry.user === 0 ? [] : newcomersOf(this.#with, entry, await this.#name(entry));
      case "receipt":
        return this.#ifLocal(entry, (userId) => receiptsOf(this.#with, entry, userId));
      case "presence":
        return this.#ifLocal(entry, (userId) => presenceOf(this.#with, entry, userId));
      case "deviceList":
        return this.#ifLocal(entry, (userId) => keyChangesOf(this.#with, entry, userId));
      // Messages for devices elsewhere wait in their outbox, from where they are taken.
      default:
        return [];
    }
  }

  messagesFor: OutgoingEdus["messagesFor"] = (server, after, limit) =>
    messagesFor(this.#with.toDevice, server, after, limit);

  messagesTaken: OutgoingEdus["messagesTaken"] = (write, server, upTo) =>
    this.#with.toDevice.sent(write, server, upTo);

  close(): void {
    this.#chain.close();
  }

  async #ifLocal(
    entry: PositionedEntry,
    edus: (userId: string) => Promise<OutgoingEdu[]>,
  ): Promise<OutgoingEdu[]> {
    const userId = await this.#name(entry);
    return this.#with.isLocal(userId) ? edus(userId) : [];
  }

  #name({ user }: PositionedEntry): Promise<string> {
    return this.#with.storage.names.text(user);
  }
}
