export type Device = { userId: string; deviceId: string };

export const deviceKey = ({ userId, deviceId }: Device) => JSON.stringify([userId, deviceId]);

/** Everything that waits for a device, or what of it has `after < position <= upTo`: an array sorts after all else. */
export function rangeOfDevice(
  { userId, deviceId }: Device,
  { after, upTo }: { after: number; upTo: number } = { after: 0, upTo: Number.POSITIVE_INFINITY },
): IDBKeyRange {
  return IDBKeyRange.bound([userId, deviceId, after, []], [userId, deviceId, upTo, []]);
}
