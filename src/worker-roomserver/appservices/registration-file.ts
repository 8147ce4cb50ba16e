import { parse } from "yaml";
import { parseRegistration, type Registration } from "../../matrix/appservices/registration.ts";
import { badJson, invalidParam } from "../../matrix/errors.ts";
import type { ServerName } from "../../matrix/identifiers.ts";

/** Many times what bridges write. */
const MAX_CHARACTERS = 256 * 1024;

/**
 * Reads a registration file. Loaded when somebody adds one: nobody else needs a YAML parser.
 * @throws MatrixError M_BAD_JSON, M_INVALID_PARAM 400
 */
export function readRegistrationFile(yaml: string, serverName: ServerName): Registration {
  if (yaml.length > MAX_CHARACTERS)
    throw invalidParam(`A registration has at most ${MAX_CHARACTERS} characters.`);
  return parseRegistration(parsed(yaml), serverName);
}

function parsed(yaml: string): unknown {
  try {
    // Without references: a file of some lines could otherwise become gigabytes.
    return parse(yaml, { maxAliasCount: 0 });
  } catch (error) {
    throw badJson(
      `The registration is not YAML: ${error instanceof Error ? error.message.slice(0, 500) : ""}`,
    );
  }
}
