/** netcat: bare bytes over TCP, with no name, no length and no check. Each get has a listener of its own. */
import { freePort, type PeerKind, removeIfThere, run, targets, untilListening } from "./peer.ts";

export const nc: PeerKind = {
  name: "nc (not verified)",
  programs: ["nc", "sh"],
  start(yard) {
    const { got } = targets(yard);
    let port = 0;
    let serving: Promise<void> = Promise.resolve();
    return Promise.resolve({
      get: {
        name: nc.name,
        async prepare() {
          removeIfThere(got);
          await serving;
          port = freePort();
          serving = run("sh", ["-c", `exec nc -N -l 127.0.0.1 ${port} < ${yard.path}/served/big.bin`]);
          await untilListening(port);
        },
        run: () => run("sh", ["-c", `exec nc -d 127.0.0.1 ${port} > ${got}`]),
      },
      [Symbol.asyncDispose]: () => serving,
    });
  },
};
