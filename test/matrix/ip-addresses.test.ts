import { expect, test } from "vitest";
import {
  type IpRange,
  ipv4Parts,
  ipv6Groups,
  isInRanges,
  parseIpRange,
} from "../../src/matrix/ip-addresses.ts";
import { isPublicAddress } from "../../src/matrix/public-hosts.ts";

const range = (text: string): IpRange => {
  const parsed = parseIpRange(text);
  if (parsed === undefined) throw new Error(`${text} is no range`);
  return parsed;
};

test.each([
  ["127.0.0.1", [127, 0, 0, 1]],
  ["255.255.255.255", [255, 255, 255, 255]],
  ["256.0.0.1", undefined],
  ["0177.0.0.1", undefined],
  ["1.2.3", undefined],
  ["1.2.3.4.5", undefined],
  [" 1.2.3.4", undefined],
])("IPv4 %s", (text, parts) => expect(ipv4Parts(text)).toEqual(parts));

test.each([
  ["::", [0, 0, 0, 0, 0, 0, 0, 0]],
  ["::1", [0, 0, 0, 0, 0, 0, 0, 1]],
  ["2001:DB8::ff", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xff]],
  ["1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]],
  ["::ffff:127.0.0.1", [0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1::2::3", undefined],
  ["1:2:3:4:5:6:7::8", undefined],
  ["12345::", undefined],
  ["fe80::1%eth0", undefined],
  ["127.0.0.1::", undefined],
  ["1:2", undefined],
])("IPv6 %s", (text, groups) => expect(ipv6Groups(text)).toEqual(groups));

test.each([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["127.0.0.1", "127.0.0.1", true],
  ["127.0.0.1", "127.0.0.2", false],
  ["fd00::/8", "fdff::1", true],
  ["fd00::/8", "fe00::1", false],
  ["0.0.0.0/0", "::1", false],
  ["::/0", "1.2.3.4", false],
  ["127.0.0.0/8", "::ffff:127.0.0.1", false],
  ["0.0.0.0/0", "no address", false],
])("%s and %s", (text, address, inside) => expect(isInRanges(address, [range(text)])).toBe(inside));

test.each(["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "host", "", "::/129", "10.0.0.0/-1"])(
  "%j is no range",
  (text) => expect(parseIpRange(text)).toBeUndefined(),
);

test.each([
  ["8.8.8.8", true],
  ["2606:4700::1111", true],
  ["64:ff9b::8.8.8.8", true],
  ["127.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["::ffff:a00:1", false],
  ["::127.0.0.1", false],
  ["64:ff9b::169.254.169.254", false],
  ["64:ff9b:1::8.8.8.8", false],
  ["2002:a00:1::", false],
  ["2001:0:1::1", false],
  ["2a00:1450::5efe:10.0.0.1", false],
  ["2a00:1450::200:5efe:192.168.0.1", false],
  ["2a00:1450::5efe:8.8.8.8", true],
  ["fe80::1%1", false],
  ["example.org", false],
])("address %s, public: %s", (address, expected) => expect(isPublicAddress(address)).toBe(expected));
