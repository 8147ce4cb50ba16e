/**
 * The type of events that merge branches of a room and say nothing. The name is Synapse's: servers and clients that
 * know it hide them.
 */
export const MERGE_EVENT = "org.matrix.dummy_event";
