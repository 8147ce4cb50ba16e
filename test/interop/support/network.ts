import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthority } from "../../relay/support/authority.ts";
import { type Hearth, makeHearth } from "./hearth.ts";
import { type Person, personAt } from "./person.ts";
import { makeSynapse, type Synapse } from "./synapse.ts";

/** A Synapse and a homeserver in a tab that can reach one another. */
export type Network = {
  synapse: Synapse;
  hearth: Hearth;
  /** New accounts, one on each, whose names are those of no others here. */
  people(): Promise<{ sue: Person; hal: Person }>;
  end(): Promise<void>;
};

export async function openNetwork(): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-interop-"));
  const authority = await makeAuthority();
  const synapse = await makeSynapse(join(folder, "synapse"), authority);
  const hearth = await makeHearth(join(folder, "hearth"), authority);
  const end = async () => {
    await Promise.all([synapse.stop(), hearth.end()]);
    // Where something is wrong, the logs say what.
    if (process.env.HEARTH_INTEROP_KEEP === undefined) await rm(folder, { recursive: true, force: true });
    else console.log(`hearth: kept ${folder}`);
  };
  try {
    await Promise.all([synapse.start(), hearth.start()]);
  } catch (error) {
    await end();
    throw error;
  }
  let made = 0;
  return {
    synapse,
    hearth,
    end,
    people: async () => {
      made += 1;
      const [sue, hal] = await Promise.all([personAt(synapse, `sue${made}`), personAt(hearth, `hal${made}`)]);
      return { sue, hal };
    },
  };
}
