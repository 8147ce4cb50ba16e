import { describe, expect, test } from "vitest";
import { refusalOf } from "../../../src/worker-roomserver/egress/rules.ts";

describe("the owner's own services", () => {
  test.each(["http://127.0.0.1:9000/x", "http://bridge/x", "https://bridge.example.org/"])(
    "may be at %s",
    (url) => expect(refusalOf({ kind: "app-service", url })).toBeUndefined(),
  );
  test.each(["ftp://bridge/", "bridge"])("may not be at %s", (url) =>
    expect(refusalOf({ kind: "app-service", url })).toEqual(expect.any(String)),
  );
});

test.each(["http://push.example.org/x", "https://127.0.0.1/x", "https://a:b@push.example.org/x"])(
  "no push gateway is at %s",
  (url) => expect(refusalOf({ kind: "push", url })).toEqual(expect.any(String)),
);

describe("an address", () => {
  test.each([
    "https://example.org/a?b#c",
    "http://example.org:8080/",
    "https://8.8.8.8/",
    "https://172.32.0.1/",
    "https://[2606:4700::1111]/",
    "https://bücher.example/",
  ])("%s is public", (url) => {
    expect(refusalOf({ kind: "preview", url })).toBeUndefined();
  });

  test.each([
    "ftp://example.org/",
    "file:///etc/passwd",
    "data:text/html,x",
    "https://user:secret@example.org/",
    "http://localhost/",
    "http://localhost./",
    "http://router/",
    "http://printer.local/",
    "http://a.home.arpa/",
    "http://a.localhost:3000/",
    "http://127.0.0.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0/",
    "http://10.1.2.3/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://198.19.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[2001::1]/",
    "http://[2002:7f00:1::]/",
  ])("%s is not", (url) => {
    expect(refusalOf({ kind: "preview", url })).toEqual(expect.any(String));
  });
});
