import type { NamespaceKind } from "../../matrix/appservices/namespaces.ts";
import type { Registration } from "../../matrix/appservices/registration.ts";
import type { UserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";

/** A registration without its secrets, and how far what it is sent has come. */
export type AppServiceStatus = Omit<Registration, "asToken" | "hsToken"> & {
  sender: UserId;
  /** Of the transaction that the service has not taken yet: how often it was tried, and when it is again. */
  failing: { failures: number; retryAt: number } | null;
  /** How the last attempt failed, since this leader began; "" where none has. */
  lastError: string;
};

/** For the server's owner alone: nothing here asks who calls. */
export interface AppServicesForOwner {
  /**
   * Registers a service by its YAML file, as bridges write it. It is told of what happens from then on. Its sender has
   * an account afterwards.
   *
   * Cost: loads the YAML parser; a row, and an account.
   * @throws MatrixError M_BAD_JSON, M_INVALID_PARAM 400, also where another service has its id or its token;
   *   M_USER_IN_USE 400 where the sender's name is somebody else's
   * @see https://spec.matrix.org/v1.19/application-service-api/#registration
   */
  add(yaml: string): Promise<AppServiceStatus>;
  /** One row for each service. */
  list(): Promise<AppServiceStatus[]>;
  /**
   * Ends a service: its token is good for nothing any more (tokens that were cached must be dropped), and what it had not
   * been sent never is. Accounts and rooms of its namespaces stay. One that is not there is no error.
   */
  remove(id: string): Promise<void>;
  /** Asks a service whether it is there, as `AppServices.ping` does. @throws the same; MatrixError M_NOT_FOUND 404 */
  pingById(id: string): Promise<{ duration_ms: number }>;
}

/** The kinds of third-party lookup, by what they are made with. */
export type ThirdPartyKind = "user" | "location";

/** What the client API asks. */
export interface AppServices extends AppServicesForOwner {
  /**
   * Asks the requester's own service whether it is there. `duration_ms`: how long it took, in milliseconds.
   * @throws MatrixError M_FORBIDDEN 403 for who is not that service; M_URL_NOT_SET 400; M_BAD_STATUS (with `status` and
   *   `body`), M_CONNECTION_FAILED 502; M_CONNECTION_TIMEOUT 504
   * @see https://spec.matrix.org/v1.19/application-service-api/#post_matrixclientv1appserviceappserviceidping
   */
  ping(requester: Requester, id: string, transactionId: string | undefined): Promise<{ duration_ms: number }>;
  /**
   * Lists a room in the directory of a network of the requester's service, or takes it out.
   * @throws MatrixError M_FORBIDDEN 403 for who is no service; M_NOT_FOUND 404 for a room that is not known here
   * @see https://spec.matrix.org/v1.19/application-service-api/#put_matrixclientv3directorylistappservicenetworkidroomid
   */
  setNetworkVisibility(
    requester: Requester,
    room: { networkId: string; roomId: string; visibility: "public" | "private" },
  ): Promise<void>;
  /** All protocols of all services that answer in time. Each service is asked for each of its protocols, once a minute. */
  protocols(): Promise<JsonObject>;
  /** @throws MatrixError M_NOT_FOUND 404 for a protocol of no service, or of none that answers */
  protocol(name: string): Promise<JsonObject>;
  /**
   * Who or what has these fields on another network, as the services of the protocol say.
   * @throws MatrixError M_NOT_FOUND 404 for a protocol of no service
   * @see https://spec.matrix.org/v1.19/client-server-api/#third-party-lookups
   */
  lookup(kind: ThirdPartyKind, protocol: string, fields: Record<string, string>): Promise<JsonObject[]>;
  /**
   * What a user ID or a room alias stands for on other networks, as the services say whose namespace it is in.
   * @throws MatrixError M_NOT_FOUND 404 where it stands for nothing
   */
  reverseLookup(kind: ThirdPartyKind, id: string): Promise<JsonObject[]>;
}

/** Whose `as_token` a token is. */
export type AppServiceIdentity = { id: string; sender: UserId; rateLimited: boolean };

/** What accounts and aliases ask. The first three are answered from memory. */
export interface AppServiceNamespaces {
  /** @param tokenHash - as `hashToken` makes it */
  identify(tokenHash: string): AppServiceIdentity | undefined;
  /** Whether a service may act for this user or room alias. */
  covers(service: string, kind: NamespaceKind, id: string): boolean;
  /**
   * @param service - of who wants to make something of this name; undefined: no service
   * @throws MatrixError M_EXCLUSIVE 400 where it is another service's alone, or is outside of the service's namespaces
   */
  checkFree(kind: NamespaceKind, id: string, service: string | undefined): void;
  /**
   * Asks the services in whose namespace a user is that is not here to make it: afterwards it may be here. At most some
   * seconds; one that does not answer makes nothing.
   * @see https://spec.matrix.org/v1.19/application-service-api/#querying
   */
  findUser(userId: string): Promise<void>;
  /** The same for a room alias. */
  findRoom(alias: string): Promise<void>;
}
