import type { NatsConnection } from "@nats-io/transport-node";

/** Calls `act` whenever the connection has this status anew, for as long as it is kept. */
export function onStatus(
  connection: NatsConnection,
  type: "disconnect" | "reconnect",
  act: () => void,
): void {
  void (async () => {
    for await (const status of connection.status()) if (status.type === type) act();
  })();
}

/** Whether a subject can be published to: others have said it. */
export const isSubject = (text: string) => /^[\w-]+(\.[\w-]+)*$/.test(text) && text.length < 200;
