import fc from "fast-check";
import { expect, test } from "vitest";
import { type KeyBackupData, replacesKey } from "../../src/matrix/key-backup.ts";

const key = (is_verified: boolean, first_message_index: number, forwarded_count: number): KeyBackupData => ({
  is_verified,
  first_message_index,
  forwarded_count,
  session_data: {},
});

// https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups
test.each<[rule: string, better: KeyBackupData, worse: KeyBackupData]>([
  ["a verified one, whatever else", key(true, 9, 9), key(false, 0, 0)],
  ["of two that are verified the one with the earlier message", key(true, 1, 9), key(true, 2, 0)],
  ["of two that are not verified too", key(false, 1, 9), key(false, 2, 0)],
  ["of the same message the one that was forwarded less", key(true, 1, 0), key(true, 1, 1)],
])("it is %s that stays", (_, better, worse) => {
  expect(replacesKey(better, worse)).toBe(true);
  expect(replacesKey(worse, better)).toBe(false);
});

test("of any keys the same one stays, in whatever order they come", () => {
  const any = fc.tuple(fc.boolean(), fc.nat(3), fc.nat(3)).map(([v, i, f]) => key(v, i, f));
  const kept = (keys: KeyBackupData[]) =>
    keys.reduce((present, next) => (replacesKey(next, present) ? next : present));
  fc.assert(
    fc.property(fc.array(any, { minLength: 1 }), (keys) => {
      expect(kept(keys.toReversed())).toEqual(kept(keys));
    }),
  );
  expect(replacesKey(key(true, 1, 1), key(true, 1, 1))).toBe(false);
});
