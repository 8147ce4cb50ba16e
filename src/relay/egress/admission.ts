import { EgressFailure } from "./failure.ts";

export type AdmissionLimits = {
  /** Requests of one node in a minute, on average. */
  perMinute: number;
  /** Requests of one node at once, after a time without any. */
  burst: number;
  /** Requests of one node that are under way. */
  perOwner: number;
  /** Requests to one target that are under way, of all nodes. One node has at most half of them. */
  perTarget: number;
  /** Requests of all nodes that are under way. */
  total: number;
};

export type Admission = {
  /**
   * @returns what is called when the request is over; a second call does nothing
   * @throws {EgressFailure} limited
   */
  enter(owner: string, target: string): () => void;
};

type Owner = { tokens: number; at: number; underWay: number };

/** When all is under way that may be: how long to wait, in milliseconds, as nobody can know. */
const busy = 1_000;
/** Owners that are remembered; above this, those with nothing under way and a full bucket are forgotten. */
const remembered = 10_000;

/** How many requests nodes may send, by a token bucket for each and by counting those under way. */
export function openAdmission(limits: AdmissionLimits, now: () => number): Admission {
  const owners = new Map<string, Owner>();
  const targets = new Map<string, number>();
  let total = 0;

  function ownerOf(name: string): Owner {
    if (owners.size >= remembered && !owners.has(name)) forgetIdle();
    const owner = owners.get(name) ?? { tokens: limits.burst, at: now(), underWay: 0 };
    owner.tokens = refilled(owner);
    owner.at = now();
    owners.set(name, owner);
    return owner;
  }
  const refilled = ({ tokens, at }: Owner) =>
    Math.min(limits.burst, tokens + (Math.max(0, now() - at) * limits.perMinute) / 60_000);

  function forgetIdle() {
    for (const [name, owner] of owners) {
      if (owner.underWay === 0 && refilled(owner) >= limits.burst) owners.delete(name);
    }
  }

  const count = (key: string, by: number) => {
    const next = (targets.get(key) ?? 0) + by;
    if (next > 0) targets.set(key, next);
    else targets.delete(key);
  };

  return {
    enter(name, target) {
      const owner = ownerOf(name);
      const own = `${name} ${target}`;
      if (total >= limits.total) throw limited("The relay has too many requests under way.", busy);
      if (owner.underWay >= limits.perOwner)
        throw limited("Too many of this node's requests are under way.", busy);
      if (
        (targets.get(own) ?? 0) >= Math.ceil(limits.perTarget / 2) ||
        (targets.get(target) ?? 0) >= limits.perTarget
      ) {
        throw limited("Too many requests to this server are under way.", busy);
      }
      if (owner.tokens < 1) {
        throw limited("This node sends too many requests.", ((1 - owner.tokens) * 60_000) / limits.perMinute);
      }
      owner.tokens -= 1;
      const change = (by: number) => {
        total += by;
        owner.underWay += by;
        count(target, by);
        count(own, by);
      };
      change(1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        change(-1);
      };
    },
  };
}

const limited = (why: string, wait: number) => new EgressFailure("limited", why, wait);
