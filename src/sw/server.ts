import * as v from "valibot";
import { type Endpoint, endpoint } from "./endpoint.ts";

/**
 * Every version there has been: clients look for the one they were written against, and some refuse a server
 * whose list shares nothing with theirs.
 */
const versions = [
  ...["r0.0.1", "r0.1.0", "r0.2.0", "r0.3.0", "r0.4.0", "r0.5.0", "r0.6.0", "r0.6.1"],
  ...Array.from({ length: 19 }, (_, index) => `v1.${index + 1}`),
];

/** Only what works here under its unstable name, or under its final one where clients still ask in this way. */
const unstableFeatures = {
  "org.matrix.simplified_msc3575": true,
  "org.matrix.msc3440.stable": true,
  "org.matrix.msc3771": true,
  "org.matrix.msc3773": true,
  "org.matrix.msc3814": true,
  "org.matrix.msc3827.stable": true,
  "org.matrix.msc3916.stable": true,
  "org.matrix.msc4222": true,
  "org.matrix.e2e_cross_signing": true,
  "org.matrix.msc2285.stable": true,
  "uk.tcpip.msc4133.stable": true,
  "uk.half-shot.msc2666.query_mutual_rooms.stable": true,
  "org.matrix.msc4380.stable": true,
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions */
const getVersions = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/versions",
    auth: "optional",
    limit: "read",
    response: v.object({
      versions: v.array(v.string()),
      unstable_features: v.record(v.string(), v.boolean()),
    }),
  },
  async () => ({ versions, unstable_features: unstableFeatures }),
);

export const serverEndpoints: Endpoint[] = [getVersions];
