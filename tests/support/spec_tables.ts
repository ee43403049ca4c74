/** The tables of `protocol/README.md`, made from the declarations. */
import { ERRORS, LOCAL_FROM } from "../../protocol/errors.ts";
import type { FieldMap } from "../../protocol/wire/fields.ts";
import type { Declaration } from "../../protocol/wire/messages/declare.ts";
import { MESSAGES } from "../../protocol/wire/messages/mod.ts";
import { TRANSFER_ORDER } from "../../protocol/wire/transfer_order.ts";

/** One row for each message: number, name, role, fields. */
export function messageRows(): string[] {
  return Object.entries(MESSAGES as Record<string, Declaration>).map(([name, { type, role, fields }]) =>
    `| ${hex(type)} | \`${name}\` | ${role} | ${formatFields(fields) || "none"} |`
  );
}

/** One row for each error that travels: number, name, meaning, retriable. */
export function errorRows(): string[] {
  return Object.entries(ERRORS)
    .filter(([, { number }]) => number < LOCAL_FROM)
    .map(([name, { number, meaning, retriable }]) =>
      `| ${number} | \`${name}\` | ${meaning} | ${retriable ? "yes" : "no"} |`
    );
}

/** One row for each legal step of a transfer. */
export function orderRows(): string[] {
  return TRANSFER_ORDER.map(([state, side, message, next]) => `| ${state} | ${side} | ${message} | ${next} |`);
}

export function formatFields(fields: FieldMap): string {
  return Object.entries(fields)
    .map(([name, { id, value, presence }]) => {
      const number = id < 0x80 ? String(id) : hex(id);
      return `${number} \`${name}\` ${value.kind}${presence === "required" ? "" : `, ${presence}`}`;
    })
    .join(" · ");
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(2, "0")}`;
}

/** The cells of the first table behind the line `heading` of the specification, without code marks. */
export function tableAfter(heading: string): string[][] {
  const text = Deno.readTextFileSync(new URL("../../protocol/README.md", import.meta.url));
  const lines = text.slice(text.indexOf(`\n${heading}\n`)).split("\n");
  const start = lines.findIndex((line) => line.startsWith("|"));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))
  );
}
