/** `status`: how the server is, for who looks after it. */
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { ConnectionState } from "../../protocol/wire/messages/status.ts";
import type { Outcome, RequestContext } from "./handler.ts";

/** Connections go out in groups: a message has at most 16,384 bytes. */
const GROUP = 16;
const NAME_LENGTH_MAX = 100;

export async function handleStatus(_request: MessageOf<"status">, context: RequestContext): Promise<Outcome> {
  context.authorize("status", "");
  const { agent, uptimeMs, gauges, connections } = await context.status();
  context.session.send({ type: "state", agent, uptimeMs, gauges: [...gauges], connections: [] });
  for (let start = 0; start < connections.length; start += GROUP) {
    const group = connections.slice(start, start + GROUP).map(shortened);
    context.session.send({ type: "state", gauges: [], connections: group });
  }
  context.session.send({ type: "done" });
  return {};
}

/** Names and labels can be long, and somebody else chose them. */
function shortened(connection: ConnectionState): ConnectionState {
  const { name, who } = connection;
  return { ...connection, who: clip(who), ...(name === undefined ? {} : { name: clip(name) }) };
}

function clip(text: string): string {
  return text.length <= NAME_LENGTH_MAX ? text : `${text.slice(0, NAME_LENGTH_MAX).toWellFormed()}…`;
}
