import type { Requester } from "../node/requester.ts";

export type DirectoryUser = { user_id: string; display_name?: string; avatar_url?: string };

export interface UserDirectory {
  /**
   * Users by display name and user id: those who share a room with the requester, and those in rooms that anybody may
   * join or read. Others are not told of, though they have an account here: who is on a server is nobody's business.
   *
   * Costs a pass over the members of those rooms, in memory; the members of a room are read when it is first looked
   * through (at most 10,000 with their names: of larger rooms only user ids are searched).
   * @param limit - most users in the answer; never more than 50
   * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch
   */
  search(
    requester: Requester,
    term: string,
    limit: number | undefined,
  ): Promise<{ results: DirectoryUser[]; limited: boolean }>;
}
