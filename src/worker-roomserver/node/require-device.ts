import { missingParam } from "../../matrix/errors.ts";
import type { DeviceRequester, Requester } from "./requester.ts";

/**
 * The requester with a device, for what belongs to one.
 * @throws MatrixError M_MISSING_PARAM 400 for an application service that has named none
 * @see https://spec.matrix.org/v1.19/application-service-api/#identity-assertion
 */
export function requireDevice(requester: Requester): DeviceRequester {
  const { deviceId } = requester;
  if (deviceId === undefined) {
    throw missingParam(
      'This belongs to a device: an application service names one with "device_id" in the query.',
    );
  }
  return { ...requester, deviceId };
}
