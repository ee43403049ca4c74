/**
 * Where a name leads, by small models of what operating systems do with a path; lexical, and knowing nothing of our rule.
 *
 * `undefined` says that it leads out: outside the root, to the root itself, to a device, or to another name than its
 * own. Otherwise the parts below the root.
 */

/** A path ends at a NUL for the system; `/` separates, `.` stays, `..` goes up, and all else is a name. */
export function posixParts(name: string): string[] | undefined {
  const nul = name.indexOf("\0");
  const path = nul < 0 ? name : name.slice(0, nul);
  if (path.startsWith("/")) return undefined;
  return walk(path.split("/"), (part) => part);
}

const DEVICES = new Set(["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]);
const NUMBERED_DEVICE = /^(COM|LPT)[0-9¹²³]$/;

/**
 * Both slashes separate; a drive, a share or a slash begins elsewhere; dots and spaces at the end of a part are nothing;
 * behind a colon stands a stream of the file before it; devices are everywhere, whatever ending they have.
 */
export function windowsParts(name: string): string[] | undefined {
  const nul = name.indexOf("\0");
  const path = nul < 0 ? name : name.slice(0, nul);
  if (/^[a-z]:/i.test(path) || /^[/\\]/.test(path)) return undefined;
  return walk(path.split(/[/\\]/), (part) => {
    if (/^\.\.? *$/.test(part)) return part.trimEnd();
    const stem = part.replace(/[. ]+$/, "").toUpperCase().replace(/[.:].*$/s, "").trimEnd();
    return DEVICES.has(stem) || NUMBERED_DEVICE.test(stem) ? undefined : part.replace(/[. ]+$/, "");
  });
}

function walk(parts: readonly string[], meaningOf: (part: string) => string | undefined): string[] | undefined {
  const stack: string[] = [];
  for (const part of parts) {
    const meaning = meaningOf(part);
    if (meaning === undefined || meaning === ".." && stack.length === 0) return undefined;
    if (meaning === "..") stack.pop();
    else if (meaning !== "" && meaning !== ".") stack.push(meaning);
  }
  return stack.length > 0 ? stack : undefined;
}
