/** `app status`: how a server is, for who looks after it. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { formatCount, formatDuration, formatNumber, formatSize } from "../../protocol/cli/format.ts";
import { AppError } from "../../protocol/errors.ts";
import type { ConnectionState, Gauge } from "../../protocol/wire/messages/status.ts";
import { clientFor, LOOK_OPTIONS, reportFor } from "../options.ts";
import type { Status } from "../replies.ts";
import type { Report } from "../report.ts";
import { takeTarget } from "../target.ts";

export const statusCommand = defineCommand({
  name: "status",
  summary: "Show how a server is: its limits, and who is connected",
  words: "HOST PORT",
  wordsMax: 2,
  options: LOOK_OPTIONS,
  notes: ["A server that is closed to strangers tells it only to who has an admin link."],
  run,
});

async function run(input: CommandInput<typeof LOOK_OPTIONS>): Promise<number> {
  const { target, rest } = takeTarget(input.words, input.terminal);
  if (rest.length > 0) throw new AppError("usage", `Unexpected ${JSON.stringify(rest[0])}: status takes HOST PORT`);
  const report = reportFor(input);
  await using client = clientFor(target, input, report);
  const status = await client.status();
  report.answer(linesOf(status, report).join("\n"), { event: "status", ...status });
  return 0;
}

function linesOf({ agent, uptimeMs, gauges, connections }: Status, report: Report): string[] {
  return [
    `${report.shown(agent)}, up ${formatDuration(uptimeMs / 1000)}, ${formatCount(connections.length, "connection")}`,
    "",
    ...table(["", "used", "limit"], gauges.map((gauge) => gaugeRow(gauge, report))),
    "",
    ...table(
      ["connection", "who", "age", "requests", "received", "sent", "under way"],
      connections.map((connection) => connectionRow(connection, report)),
    ),
  ];
}

function gaugeRow({ name, used, max }: Gauge, report: Report): string[] {
  const shown = (count: number | undefined, other: string) => count === undefined ? other : formatGauge(name, count);
  return [
    report.shown(name.replace(/_ms$/, "").replaceAll("_", " ")),
    shown(used, "-"),
    shown(max, name.startsWith("total_") ? "" : "none"),
  ];
}

/** By its name: what counts bytes or time says so in it. */
function formatGauge(name: string, count: number): string {
  if (name.includes("bytes")) return formatSize(count) + (name.includes("per_second") ? "/s" : "");
  return name.endsWith("_ms") ? `${count / 1000} s` : formatNumber(count);
}

function connectionRow(connection: ConnectionState, report: Report): string[] {
  const { peer, who, request = "-", name = "", bytesReceived, bytesSent, ageMs, requests } = connection;
  const counts = [formatNumber(requests), formatSize(bytesReceived), formatSize(bytesSent)];
  return [
    report.shown(peer),
    report.shown(who),
    formatDuration(ageMs / 1000),
    ...counts,
    report.shown(`${request} ${name}`),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
}
