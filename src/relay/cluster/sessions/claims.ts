import type { Session } from "../../../link/session/session.ts";
import type { Documents } from "../../documents/api.ts";
import { onStatus } from "../connection.ts";
import { type Nats, rest } from "../nats.ts";

export type ClaimsOptions = {
  nats: Nats;
  self: string;
  documents: Documents;
  /** A session of the same server was opened later, at another relay. */
  moved(session: Session): void;
  log(error: unknown): void;
};

/** `number`: undefined until it is claimed. `seen`: the highest that others have told of in the meantime. */
type Claim = { session: Session; number: number | undefined; seen: number };
type Told = { relay: string; serverName: string; number: number };

const KIND = "session";

/**
 * Which of several sessions of one server is the last one, wherever they are: each takes the next number of its server,
 * and tells all relays. The clocks of relays would not do: they differ by more than a node needs to come back.
 */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #claims = new Map<string, Claim>();
  readonly #subject: string;

  constructor(options: ClaimsOptions) {
    this.#options = options;
    const { nats, log } = options;
    this.#subject = `${nats.prefix}.opened`;
    nats.connection.subscribe(this.#subject, {
      callback: (error, message) => (error ? log(error) : this.#hear(message.json<Told>())),
    });
    // What others have told meanwhile was not heard: they tell it again if it is later than what is told here.
    onStatus(nats.connection, "reconnect", () => {
      for (const [serverName, { number }] of this.#claims) this.#tell(serverName, number);
    });
  }

  /** Never fails; goes on as long as the session. */
  async opened(session: Session): Promise<void> {
    const { documents, log } = this.#options;
    const { serverName } = session;
    const claim: Claim = { session, number: undefined, seen: 0 };
    this.#claims.set(serverName, claim);
    void session.ended.then(() => {
      if (this.#claims.get(serverName) === claim) this.#claims.delete(serverName);
    });
    while (this.#claims.get(serverName) === claim && claim.number === undefined) {
      try {
        claim.number = await documents.change<number, number>(KIND, serverName, (last = 0) => ({
          to: last + 1,
          result: last + 1,
        }));
      } catch (error) {
        log(error);
        await rest();
      }
    }
    if (this.#claims.get(serverName) !== claim || claim.number === undefined) return;
    if (claim.number < claim.seen) this.#giveUp(serverName, claim);
    else this.#tell(serverName, claim.number);
  }

  #hear({ relay, serverName, number }: Told): void {
    const claim = this.#claims.get(serverName);
    if (relay === this.#options.self || claim === undefined) return;
    if (claim.number === undefined) claim.seen = Math.max(claim.seen, number);
    else if (claim.number < number) this.#giveUp(serverName, claim);
    // It was not heard there.
    else this.#tell(serverName, claim.number);
  }

  #giveUp(serverName: string, claim: Claim): void {
    this.#claims.delete(serverName);
    this.#options.moved(claim.session);
  }

  #tell(serverName: string, number: number | undefined): void {
    const { connection } = this.#options.nats;
    if (number === undefined || connection.isClosed()) return;
    connection.publish(this.#subject, JSON.stringify({ relay: this.#options.self, serverName, number }));
  }
}
