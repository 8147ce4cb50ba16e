import type { Pdu } from "../pdu.ts";

/** A membership event whose form rule 4.1 has found in order. */
export type MemberEvent = { readonly pdu: Pdu; readonly target: string };
