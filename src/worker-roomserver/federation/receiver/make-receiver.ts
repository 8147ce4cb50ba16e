import type { FederationContext } from "../context.ts";
import { GapFiller } from "../gaps/gap-filler.ts";
import { WaitingEvents } from "../gaps/waiting-events.ts";
import { KnownRooms } from "../known-rooms.ts";
import type { Receiver, ReceiverTakers } from "./api.ts";
import { InboxReceiver } from "./receiver.ts";

/** Puts together what takes in transactions and completes what they lack. */
export function makeReceiver(context: FederationContext, takers: ReceiverTakers): Receiver {
  const knownRooms = new KnownRooms(context.storage);
  const waitingEvents = new WaitingEvents(context.storage);
  const shared = { ...context, knownRooms, waitingEvents };
  const gaps = new GapFiller(shared);
  const receiver = new InboxReceiver({ ...shared, ...takers, gaps });
  return {
    start: async () => {
      await receiver.start();
      await gaps.start();
    },
    close: () => {
      receiver.close();
      gaps.close();
    },
    deliver: (mail, withinMs) => receiver.deliver(mail, withinMs),
  };
}
