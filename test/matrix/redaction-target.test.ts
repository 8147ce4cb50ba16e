import { describe, expect, test } from "vitest";
import { powerLevels } from "../../src/matrix/power-levels.ts";
import { isRedactionEffective, redactionTarget } from "../../src/matrix/redaction-target.ts";
import { versions } from "./auth-rules/judge.ts";
import { usualRoom } from "./room-builder.ts";

describe.each(versions("1"))("v%s", (version) => {
  const room = usualRoom({ version, levels: { users: { "@b:b.example": 50, "@c:c.example": 49 } } });
  const levels = powerLevels(room.state("m.room.power_levels", "")?.pdu.content, room.create.pdu, room.rules);

  test("the target is in the content from v11 on, else at the top level", () => {
    const { pdu } = room.event({
      type: "m.room.redaction",
      content: { redacts: "$inside:a.example" },
      pdu: { redacts: "$outside:a.example" },
    });
    const want = room.rules.redactsInContent ? "$inside:a.example" : "$outside:a.example";
    expect(redactionTarget(pdu, room.rules)).toBe(want);
    expect(redactionTarget(room.event({ type: "m.room.redaction" }).pdu, room.rules)).toBeUndefined();
    const odd = room.event({ type: "m.room.redaction", content: { redacts: 5 } }).pdu;
    expect(redactionTarget(odd, room.rules)).toBeUndefined();
  });

  test.each([
    ["the redact level", "@b:b.example", "@a:a.example", true],
    ["less than that", "@c:c.example", "@a:a.example", false],
    ["less than that, but the same server", "@c:c.example", "@d:c.example", true],
  ])("a redaction by a user of %s", (_, sender, author, want) => {
    const redaction = room.event({ type: "m.room.redaction", sender }).pdu;
    const target = room.event({ type: "m.room.message", sender: author }).pdu;
    // Up to v2 the auth rules have decided that already.
    const decided = room.rules.redactionAuth || want;
    expect(isRedactionEffective(redaction, target, levels, room.rules)).toBe(decided);
  });
});
