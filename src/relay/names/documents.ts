/** The kind of document with a node's latest signed key document, by its server name. */
export const SERVER_KEYS = "server-keys";
/** The kind of document that says whether the owner of a node, by its server name, has opened its client API. */
export const CLIENT_API = "client-api";
export type ClientApi = { open: boolean };
