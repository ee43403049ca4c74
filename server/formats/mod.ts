/** The handlers of the old formats. To add one, write it beside these and name it here. */
import type { OldFormat } from "../../protocol/wire/detect.ts";
import type { FormatHandler } from "./format.ts";
import { serveGreeting } from "./greeting.ts";
import { serveImage } from "./image.ts";
import { servePacket } from "./packet.ts";
import { serveShare } from "./share.ts";

export const FORMATS: Readonly<Record<OldFormat, FormatHandler>> = {
  share: serveShare,
  packet: servePacket,
  greeting: serveGreeting,
  image: serveImage,
};
