/** How a receiver ends a tree before it is over. */
import type { AppError } from "../errors.ts";
import type { Session } from "./session.ts";
import { errorMessage } from "./transfer.ts";

/** Says why, and passes over what the sender still says. One that said itself why it ends it has said its last word. */
export async function refuseTree(session: Session, error: AppError): Promise<void> {
  session.send(errorMessage(error));
  if (error.by !== "peer") await passOver(session, error);
  await session.flush();
}

/** The same for a tree of which nothing was received yet. */
export async function refuseWholeTree(session: Session, error: AppError): Promise<void> {
  using _bulk = session.startBulk({ hasOffers: true });
  await refuseTree(session, error);
}

/** A sender takes the error for the answer to a file that it has offered meanwhile: then it is said once more. */
async function passOver(session: Session, error: AppError): Promise<void> {
  for (let isOffered = false;;) {
    const { type } = await session.receive();
    if (type === "offer") isOffered = true;
    const isLastWord = type === "cancel" || type === "error";
    if (isLastWord && !isOffered) return;
    if (!isLastWord && type !== "end") continue;
    isOffered = false;
    session.send(errorMessage(error));
  }
}
