import type { OutOfBandMemberships } from "./api.ts";

export const noOutOfBand: OutOfBandMemberships = {
  isInRoom: async () => false,
  find: async () => undefined,
  addInvite: async () => false,
  addKnock: async () => false,
  endOutOfBand: async () => false,
  rescinded: async () => false,
};
