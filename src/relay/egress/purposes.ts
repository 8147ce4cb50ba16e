import type { Purpose } from "./api.ts";

const MB = 1_000_000;
const seconds = 1_000;

/** What may be asked for a purpose, and how much of it. Bytes and milliseconds. */
export type PurposeRules = {
  /** `matrix`: by server name and discovery. */
  schemes: readonly ("matrix" | "https" | "http")[];
  methods: readonly string[];
  /** Of the path alone, without the query, as it stands in the target. */
  path: RegExp;
  requestBytes: number;
  answerBytes: number;
  /** For all of it, from the first look-up to the last byte. */
  total: number;
  /** Without a byte from the other side while one is waited for. */
  silence: number;
  /** How many are followed. */
  redirects: number;
};

const anyPath = /^\//;

export const purposeRules: Readonly<Record<Purpose, PurposeRules>> = {
  federation: {
    schemes: ["matrix"],
    methods: ["GET", "PUT", "POST"],
    path: /^\/_matrix\/(federation|key|policy)\//,
    // 50 events of 64 KiB and 100 EDUs, with room for how JSON writes them.
    requestBytes: 12 * MB,
    // The answer to send_join is the state of a room, which for the largest ones is more than 100 MB.
    answerBytes: 300 * MB,
    total: 600 * seconds,
    // Servers think for minutes about a join before the first byte.
    silence: 180 * seconds,
    redirects: 0,
  },
  push: {
    schemes: ["https"],
    methods: ["POST"],
    // The only path that a pusher's URL may have: client-server API, POST /pushers/set.
    path: /^\/_matrix\/push\/v1\/notify$/,
    requestBytes: 64 * 1024,
    answerBytes: 64 * 1024,
    total: 30 * seconds,
    silence: 15 * seconds,
    redirects: 0,
  },
  "app-service": {
    schemes: ["https", "http"],
    methods: ["GET", "PUT", "POST"],
    // Today's paths and those of before v1.0, each perhaps below a path of the registration's URL.
    path: /\/_matrix\/app\/|\/(transactions|users|rooms)\/[^/]+$/,
    requestBytes: 12 * MB,
    answerBytes: 10 * MB,
    total: 120 * seconds,
    silence: 60 * seconds,
    redirects: 0,
  },
  preview: {
    schemes: ["https"],
    methods: ["GET"],
    path: anyPath,
    requestBytes: 0,
    answerBytes: 10 * MB,
    total: 30 * seconds,
    silence: 10 * seconds,
    redirects: 5,
  },
  media: {
    // From another homeserver, or from where it has sent us (`Location` of its answer).
    schemes: ["matrix", "https"],
    methods: ["GET"],
    path: anyPath,
    requestBytes: 0,
    answerBytes: 1_000 * MB,
    total: 600 * seconds,
    silence: 60 * seconds,
    redirects: 3,
  },
};

/** Of a homeserver, only media is asked for with that purpose. */
export const mediaOfServers = /^\/_matrix\/(federation\/v1\/media|media)\//;
