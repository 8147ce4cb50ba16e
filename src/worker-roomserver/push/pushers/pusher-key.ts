import type { PusherRow } from "../../storage/schema.ts";

export type PusherKey = [userId: string, appId: string, pushkey: string];

export const keyOf = ({ userId, appId, pushkey }: PusherRow): PusherKey => [userId, appId, pushkey];
