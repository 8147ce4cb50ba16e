// Imports point one way: ui -> (HTTP only); sw -> worker-roomserver/*/api -> matrix; sw and worker-roomserver -> door;
// worker-roomserver and relay -> link -> matrix. Starting a worker by its URL is no import.

/** What a component shows to everybody who may call it. */
const componentApi = [
  "^src/worker-roomserver/.+/api[.]ts$",
  // Who asks: every api.ts takes a Requester, and node/api.ts collects them all, so it cannot be declared there.
  "^src/worker-roomserver/node/requester[.]ts$",
  // How errors and bytes cross a port: both ends of it need the same.
  "^src/worker-roomserver/node/across-ports[.]ts$",
];

/** What a component shows to other components as well. Each file needs a reason. */
const openFiles = [
  // The rows of every store: a component reads and writes its own through storage's transactions.
  "^src/worker-roomserver/storage/schema[.]ts$",
  // What a full disk, a lost lead or a corrupt row is thrown as, and the bounded cache in front of rows.
  "^src/worker-roomserver/storage/(errors|lru)[.]ts$",
  // What all components are made with alike: JSON answers as bytes, sync tokens, work in order by key or in turns, code
  // that is loaded later, and who is refused for want of a device.
  "^src/worker-roomserver/node/(answers|breathe|json-bytes|keyed-lock|later|require-device|tokens)[.]ts$",
  // Whoever asks servers outside reads their answers, and may want to know before whether one may be asked.
  "^src/worker-roomserver/egress/(body|rules)[.]ts$",
  // How secrets are made, and what they are found by: whoever keeps one keeps its hash.
  "^src/worker-roomserver/users/tokens[.]ts$",
  // The kinds of entry of the log, its newest ones in memory, how to follow it without losing any, when to drop
  // what is kept of a room, and whom a change of keys concerns.
  "^src/worker-roomserver/log/(entry|tail|reader|on-purge|key-changes)[.]ts$",
];

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Modules that need one another are one module, or hide a third.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "The file or package is not there.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-development-packages",
      comment: "What is shipped may import dependencies only, not devDependencies.",
      severity: "error",
      from: { path: "^src/" },
      // vite/client is types alone: what the build puts into import.meta.env.
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "vite/client[.]d[.]ts$" },
    },
    {
      name: "no-node-in-the-browser",
      comment: "Only the relay runs outside a browser.",
      severity: "error",
      from: { path: "^src/(?!relay/)" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "src-is-alone",
      comment: "What is shipped does not import tests, benchmarks or scripts.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|scripts)/" },
    },
    {
      name: "matrix-is-pure",
      comment: "The protocol imports nothing else of src.",
      severity: "error",
      from: { path: "^src/matrix/" },
      to: { path: "^src/(?!matrix/)" },
    },
    {
      name: "door-knows-matrix-only",
      comment: "How a request is routed and held to its description, whoever asks.",
      severity: "error",
      from: { path: "^src/door/" },
      to: { path: "^src/(?!(door|matrix)/)" },
    },
    {
      name: "link-knows-matrix-only",
      severity: "error",
      from: { path: "^src/link/" },
      to: { path: "^src/(?!(link|matrix)/)" },
    },
    {
      name: "ui-speaks-http-only",
      comment: "The page is a client like any other, and starts the worker by its URL.",
      severity: "error",
      from: { path: "^src/ui/" },
      to: { path: "^src/(?!ui/)" },
    },
    {
      name: "sw-calls-apis-only",
      comment: "The service worker calls components through their api.ts.",
      severity: "error",
      from: { path: "^src/sw/" },
      to: { path: "^src/(?!(sw|door|matrix)/)", pathNot: componentApi },
    },
    {
      name: "relay-knows-link-and-matrix",
      severity: "error",
      from: { path: "^src/relay/" },
      to: { path: "^src/(?!(relay|link|matrix)/)" },
    },
    {
      name: "worker-knows-link-and-matrix",
      comment:
        "But for the door of the owner's API, which is loaded by the one file that puts the node together.",
      severity: "error",
      from: { path: "^src/worker-roomserver/", pathNot: "^src/worker-roomserver/node/node[.]ts$" },
      to: { path: "^src/(?!(worker-roomserver|door|link|matrix)/)" },
    },
    {
      name: "worker-loads-one-door",
      severity: "error",
      from: { path: "^src/worker-roomserver/node/node[.]ts$" },
      to: { path: "^src/(?!(worker-roomserver|door|link|matrix)/)", pathNot: "^src/sw/console/door[.]ts$" },
    },
    {
      name: "components-by-their-api",
      comment: "A component imports another only through its api.ts (or what openFiles lists).",
      severity: "error",
      // Somebody has to put the components together: that one file knows them all, and nobody imports it but main.
      from: { path: "^src/worker-roomserver/([^/]+)/", pathNot: "^src/worker-roomserver/node/node[.]ts$" },
      to: {
        path: "^src/worker-roomserver/",
        pathNot: ["^src/worker-roomserver/$1/", ...componentApi, ...openFiles],
      },
    },
  ],
  options: {
    // Types count: a cycle or a forbidden direction of types alone is one all the same.
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    // Deno has it; the Node that this may run on does not.
    builtInModules: { add: ["node:sqlite"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "browser", "default"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};
