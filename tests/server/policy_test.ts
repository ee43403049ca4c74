/** Who may do what: every action under every policy. */
import { type Action, authorize, isAuthorized, stranger } from "../../server/policy.ts";
import type { ErrorName } from "../../server/mod.ts";
import { assertEquals, assertStringIncludes, assertThrowsCode } from "../support/assert.ts";

const STRANGER = stranger("open");
const ACTIONS: readonly Action[] = ["list", "read", "create", "overwrite", "remove"];

/** What is refused, and with which code; everything else is allowed. */
const TABLE: readonly (readonly [
  policy: { readOnly: boolean; allowOverwrite: boolean; allowRemove: boolean },
  refused: Partial<Record<Action, ErrorName>>,
])[] = [false, true].flatMap((allowOverwrite) =>
  [false, true].flatMap((allowRemove) =>
    [
      [{ readOnly: true, allowOverwrite, allowRemove }, {
        create: "read_only",
        overwrite: "read_only",
        remove: "read_only",
      }],
      [{ readOnly: false, allowOverwrite, allowRemove }, {
        ...(allowOverwrite ? {} : { overwrite: "overwrite_denied" }),
        ...(allowRemove ? {} : { remove: "remove_denied" }),
      }],
    ] as const
  )
);

Deno.test("every action is allowed or refused as its policy says", () => {
  assertEquals(TABLE.length, 8);
  for (const [policy, refused] of TABLE) {
    for (const action of ACTIONS) {
      const code = refused[action];
      assertEquals(
        isAuthorized(policy, STRANGER, action, "a.txt"),
        code === undefined,
        `${action} ${JSON.stringify(policy)}`,
      );
      if (code) assertThrowsCode(() => authorize(policy, STRANGER, action, "a.txt"), code);
      else authorize(policy, STRANGER, action, "a.txt");
    }
  }
});

Deno.test("refusals name action, name and reason, with the name escaped", () => {
  const policy = { readOnly: true, allowOverwrite: true, allowRemove: true };
  const { message } = assertThrowsCode(() => authorize(policy, STRANGER, "create", "a\n\u001b.txt"), "read_only");
  assertEquals(message, `May not create "a\\u{a}\\u{1b}.txt": the server is read-only`);
  const root = assertThrowsCode(() => authorize(policy, STRANGER, "remove", ""), "read_only");
  assertStringIncludes(root.message, `"/"`);
});
