import type { Mailbox } from "../mailbox/api.ts";
import { type Arrivals, openArrivals, telling } from "../mailbox/arrivals.ts";
import { onStatus } from "./connection.ts";
import type { Nats } from "./nats.ts";

/**
 * Tells all relays of what is stored: a node may wait for its mail at any of them. What is not heard is found anyway by
 * those who look again.
 * @returns the same mailbox, which tells of what is stored through it
 */
export function withClusterArrivals(
  { connection, prefix }: Nats,
  mailbox: Mailbox,
  log: (error: unknown) => void,
): { mailbox: Mailbox; arrivals: Arrivals } {
  const arrivals = openArrivals();
  const subject = `${prefix}.arrived`;
  let connected = true;
  onStatus(connection, "disconnect", () => {
    connected = false;
  });
  onStatus(connection, "reconnect", () => {
    connected = true;
  });
  connection.subscribe(subject, {
    callback: (error, message) => (error ? log(error) : arrivals.tell(message.string())),
  });
  const tell = (owner: string) => {
    if (connected && !connection.isClosed()) connection.publish(subject, owner);
    else arrivals.tell(owner);
  };
  return { mailbox: telling(mailbox, tell), arrivals };
}
