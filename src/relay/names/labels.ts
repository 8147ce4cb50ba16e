import { invalidParam } from "../../matrix/errors.ts";

/** Short enough that none can be taken for a key (52 characters), long enough to say something. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])$/;

/** What stands for the relay or its operator to people, mail servers or certificate authorities. */
const RESERVED = new Set([
  ..."abuse admin administrator api app auth autoconfig autodiscover billing blog cdn chat client".split(" "),
  ..."console contact dev docs download element federation ftp git hearth help home host hostmaster".split(
    " ",
  ),
  ..."id identity imap info isatap link localhost login mail matrix media moderator monitor mta-sts".split(
    " ",
  ),
  ..."mx nats news noc node ns ns1 ns2 oauth official operator owner page pop pop3 postmaster privacy".split(
    " ",
  ),
  ..."proxy push register relay root security server sftp signup smtp ssl staff static status support".split(
    " ",
  ),
  ..."sync sysadmin system team test turn update usenet uucp vpn webmaster webmail wpad ws www".split(" "),
]);

/**
 * Whether a node may have this label in front of the relay's name.
 * @throws {MatrixError} M_INVALID_PARAM (400)
 */
export function requireLabel(text: string): void {
  if (!label.test(text)) {
    throw invalidParam("A name has 2 to 32 of a-z, 0-9 and -, and neither begins nor ends with -.");
  }
  // In these places, two hyphens mean an encoding (RFC 5891, section 4.2.3.1): what it shows is not what is written.
  if (text.slice(2, 4) === "--")
    throw invalidParam("A name has no two hyphens in its third and fourth place.");
  if (RESERVED.has(text))
    throw invalidParam("This name is kept free: it could be taken for the relay's own.");
}
