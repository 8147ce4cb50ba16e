import { expect, test } from "vitest";
import { addressOfRoom, roomInAddress } from "../../../src/ui/state/route.ts";

test.each(["!abc:example.org", "#tea:example.org", "!v12/with%odd#signs"])(
  "%s survives the address",
  (id) => {
    expect(roomInAddress(addressOfRoom(id))).toBe(id);
  },
);

test.each(["", "#/", "#/room/", "#/room/%", "#/rooms/x"])("%j names no room", (hash) => {
  expect(roomInAddress(hash)).toBeNull();
});
