import { instanceIdParts } from "../../../matrix/appservices/third-party.ts";
import type { Storage } from "../../storage/api.ts";
import type { Nid } from "../../storage/schema.ts";
import type { PublicRoomsQuery } from "../api.ts";

/**
 * The rooms of the directory that is asked about: the server's own, that of a network which an application service
 * bridges, or all of them together.
 *
 * Costs a range of keys, and one more for all networks; for one network, a range for each way to read its name.
 * @param most - rooms, of each range
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms
 */
export async function directoryOf(
  storage: Pick<Storage, "getAllKeys">,
  { third_party_instance_id, include_all_networks }: PublicRoomsQuery,
  most: number,
): Promise<Nid[]> {
  if (third_party_instance_id !== undefined) {
    const networks = instanceIdParts(third_party_instance_id);
    const keys = await Promise.all(
      networks.map((network) =>
        storage.getAllKeys("appServiceRooms", IDBKeyRange.bound(network, [...network, []]), most),
      ),
    );
    return [...new Set(keys.flat().map(([, , room]) => room))];
  }
  const own = await storage.getAllKeys("published", undefined, most);
  if (include_all_networks !== true) return own;
  const others = await storage.getAllKeys("appServiceRooms", undefined, most);
  return [...new Set([...own, ...others.map(([, , room]) => room)])];
}
