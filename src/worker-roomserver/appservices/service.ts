import {
  type NamespaceKind,
  type NamespaceMatch,
  NamespacePatterns,
} from "../../matrix/appservices/namespaces.ts";
import type { Registration } from "../../matrix/appservices/registration.ts";
import { domainOf } from "../../matrix/domain.ts";
import { parseUserId, type ServerName, type UserId } from "../../matrix/identifiers.ts";
import { Lru } from "../storage/lru.ts";
import type { AppServiceRow, Position } from "../storage/schema.ts";

/** A registration as it is kept. */
export type KeptRegistration = Omit<Registration, "asToken">;

/** Ids whose namespaces are known without matching. */
const KNOWN_IDS = 5_000;
/** What is longer is no id, and costs nothing to look at. */
const MAX_ID = 255;
const none: NamespaceMatch = { all: false, exclusive: false };

/** A registered service: what it is interested in. */
export class Service {
  readonly registration: KeptRegistration;
  readonly tokenHash: string;
  readonly sender: UserId;
  /** It is told of what the log has after this. */
  readonly since: Position;
  readonly #serverName: ServerName;
  readonly #patterns: Record<NamespaceKind, NamespacePatterns>;
  readonly #known = new Lru<string, NamespaceMatch>(KNOWN_IDS);

  constructor({ json, tokenHash, since }: AppServiceRow, serverName: ServerName) {
    this.registration = JSON.parse(json) as KeptRegistration;
    this.tokenHash = tokenHash;
    this.since = since;
    this.sender = parseUserId(`@${this.registration.senderLocalpart}:${serverName}`);
    this.#serverName = serverName;
    const { users, aliases, rooms } = this.registration.namespaces;
    this.#patterns = {
      users: new NamespacePatterns(users),
      aliases: new NamespacePatterns(aliases),
      rooms: new NamespacePatterns(rooms),
    };
  }

  get id(): string {
    return this.registration.id;
  }

  /** Whether any alias could be in its namespace. */
  get hasAliases(): boolean {
    return !this.#patterns.aliases.isEmpty;
  }

  /** Users of other servers are in no namespace. */
  match(kind: NamespaceKind, id: string): NamespaceMatch {
    if (kind === "users" && id === this.sender) return { all: true, exclusive: true };
    if (kind === "users" && domainOf(id) !== this.#serverName) return none;
    if (id.length > MAX_ID) return none;
    const known = this.#known.get(id); // ids of different kinds begin with different signs
    if (known !== undefined) return known;
    const match = this.#patterns[kind].match(id);
    this.#known.set(id, match);
    return match;
  }
}
