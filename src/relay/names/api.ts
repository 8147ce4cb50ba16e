import type { RequestSignature } from "../../matrix/x-matrix.ts";

/** A node that wants a session, and has proved that it has the key. */
export type Claim = { serverName: string; keyId: string; publicKey: Uint8Array };

/** Whose a server name is. Names are known by their keys: in the name, given out here, or found out and remembered. */
export type Names = {
  /**
   * Whether a node may have sessions under this name. May ask the network about a domain; remembers that it was so.
   * @returns undefined if so; else why not, for people
   */
  authorize(claim: Claim): Promise<string | undefined>;
  /** The key of a name, as far as it is known here; asks nobody. Any name with its key in it has that key. */
  keyOf(serverName: string): Promise<Uint8Array | undefined>;
  /**
   * The server name of the node that this name or host leads to: under that its sessions and its mail are found. A node
   * that has had a session under the very name has that name; another name of its key leads to its latest one.
   * @returns undefined where no such node has ever been here
   */
  nodeOf(name: string): Promise<string | undefined>;
  /**
   * Gives `<label>.<relay name>` to the key of this node, first come, for ever. Giving it again does nothing.
   * @returns the name
   * @throws {MatrixError} M_INVALID_PARAM (400) for a label that cannot be had, M_USER_IN_USE (409) for one that is
   *   taken, M_FORBIDDEN (403) where names are not given, or the node has as many as it may
   */
  claim(owner: string, label: string): Promise<string>;
  /** All names that lead to the node. */
  namesOf(owner: string): Promise<string[]>;
};

/** Keys of servers anywhere, to check what they have signed. */
export type KeyRing = {
  /**
   * Whether one of these signatures can be checked, and with which key.
   * @param within - milliseconds; the search goes on behind it, for those who ask next
   * @returns undefined where no key could be had in that time
   */
  find(
    origin: string,
    signatures: readonly RequestSignature[],
    within: number,
  ): Promise<{ signature: RequestSignature; publicKey: Uint8Array } | undefined>;
};
