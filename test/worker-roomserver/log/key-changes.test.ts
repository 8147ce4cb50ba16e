import { expect, test } from "vitest";
import {
  detailToKeyChange,
  type KeyChange,
  keyChangeToDetail,
} from "../../../src/worker-roomserver/log/key-changes.ts";

test.each<[detail: string, change: KeyChange]>([
  ["signing", { what: "signing" }],
  ["own", { what: "own" }],
  ["device/PHONE", { what: "device", deviceId: "PHONE" }],
  ["claimed/a/b", { what: "claimed", deviceId: "a/b" }],
  ["device/own", { what: "device", deviceId: "own" }],
])("%s", (detail, change) => {
  expect(keyChangeToDetail(change)).toBe(detail);
  expect(detailToKeyChange(detail)).toEqual(change);
});

test("anything else is a defect of who wrote it", () => {
  for (const detail of ["", "device", "other/PHONE"]) {
    expect(() => detailToKeyChange(detail)).toThrow("a log entry says of keys");
  }
});
