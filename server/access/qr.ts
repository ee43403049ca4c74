/** A link as a picture for cameras, two dots in each letter. */

/** Dots of the margin that a camera needs around it. */
const MARGIN = 4;
const BLACK_ON_WHITE = "\x1b[30;107m";
const RESET = "\x1b[0m";

/** Lines with their ends. Without colours it is drawn for a terminal that is dark. */
export async function drawQr(text: string, hasColor: boolean): Promise<string> {
  const { encodeQR } = await import("qr");
  const dots = encodeQR(text, "raw", { ecc: "low", border: MARGIN });
  let drawn = "";
  for (let y = 0; y < dots.length; y += 2) {
    const line = dots[y]!.map((isDark, x) => letterOf(isDark === hasColor, (dots[y + 1]?.[x] ?? false) === hasColor));
    drawn += `${hasColor ? BLACK_ON_WHITE : ""}${line.join("")}${hasColor ? RESET : ""}\n`;
  }
  return drawn;
}

/** With the upper and the lower half in the colour of letters, or not. */
function letterOf(isUpper: boolean, isLower: boolean): string {
  if (isUpper) return isLower ? "█" : "▀";
  return isLower ? "▄" : " ";
}
