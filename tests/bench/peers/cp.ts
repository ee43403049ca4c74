/** cp, within one machine: what the storage alone allows. */
import { type PeerKind, removeIfThere, run, targets } from "./peer.ts";

export const cp: PeerKind = {
  name: "cp",
  programs: ["cp"],
  start(yard) {
    const { got, stored } = targets(yard);
    const contender = (from: string, to: string) => ({
      name: cp.name,
      prepare: () => removeIfThere(to),
      run: () => run("cp", [from, to]),
    });
    return Promise.resolve({
      get: contender(`${yard.path}/served/big.bin`, got),
      put: contender(`${yard.path}/local/big.bin`, stored),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};
