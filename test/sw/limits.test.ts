import { describe, expect, test } from "vitest";
import { budgets, type Caller, TokenBuckets, unlimited } from "../../src/sw/limits.ts";

const relayed: Caller = { source: "relay", address: "192.0.2.1", baseUrl: "https://home.example" };

function clocked() {
  const clock = { now: 0 };
  return { clock, buckets: new TokenBuckets(() => clock.now) };
}

describe("limits", () => {
  test("a budget is used up, and a refusal says when to come back", () => {
    const { clock, buckets } = clocked();
    const { burst, perSecond } = budgets.login;
    for (let call = 0; call < burst; call++) buckets.take("login", relayed, undefined);
    const refusal = expect.objectContaining({
      errcode: "M_LIMIT_EXCEEDED",
      status: 429,
      extra: { retry_after_ms: 1000 / perSecond },
    });
    expect(() => buckets.take("login", relayed, undefined)).toThrowError(refusal);
    clock.now = 1000 / perSecond - 1;
    expect(() => buckets.take("login", relayed, undefined)).toThrow();
    clock.now += 1;
    expect(() => buckets.take("login", relayed, undefined)).not.toThrow();
    expect(() => buckets.take("login", relayed, undefined)).toThrow();
  });

  test("users, addresses and classes have budgets of their own", () => {
    const { buckets } = clocked();
    for (let call = 0; call < budgets.login.burst; call++) buckets.take("login", relayed, undefined);
    expect(() => buckets.take("login", relayed, undefined)).toThrow();
    expect(() => buckets.take("login", { ...relayed, address: "192.0.2.2" }, undefined)).not.toThrow();
    expect(() => buckets.take("login", relayed, "@a:b")).not.toThrow();
    expect(() => buckets.take("read", relayed, undefined)).not.toThrow();
  });

  test("a clock that is set back takes nothing away", () => {
    const { clock, buckets } = clocked();
    clock.now = 1_000_000;
    buckets.take("login", relayed, undefined);
    clock.now = 0;
    expect(() => buckets.take("login", relayed, undefined)).not.toThrow();
  });

  test("many callers are forgotten only once their buckets are full again", () => {
    const { clock, buckets } = clocked();
    for (let call = 0; call < budgets.register.burst; call++) buckets.take("register", relayed, undefined);
    clock.now = 1;
    for (let other = 0; other < 10_100; other++) {
      buckets.take("read", { ...relayed, address: `192.0.2.1:${other}` }, undefined);
    }
    expect(() => buckets.take("register", relayed, undefined)).toThrow();
  });

  test("the owner's own pages are not limited, nor is anything by the limiter that lets all through", () => {
    const { buckets } = clocked();
    for (let call = 0; call < 2 * budgets.register.burst; call++) {
      expect(() => buckets.take("register", { source: "own" }, "@a:b")).not.toThrow();
      expect(() => unlimited.take("register", relayed, undefined)).not.toThrow();
    }
  });
});
