/**
 * A socket to ourselves: ringing it makes the runtime look at all its connections, without any other thread.
 *
 * What is written at one end is waited for at the other, and only the system's poll can tell that it has come.
 */
export class SelfPipe implements Disposable {
  readonly #near: Deno.Conn;
  readonly #far: Deno.Conn;
  readonly #byte = new Uint8Array(1);
  #ringing: Promise<void> | undefined;

  private constructor(near: Deno.Conn, far: Deno.Conn) {
    this.#near = near;
    this.#far = far;
  }

  /** Takes half a millisecond. `undefined` where the system has no such sockets, or no place for them. */
  static async open(): Promise<SelfPipe | undefined> {
    try {
      const { listener, connecting } = listenToOurselves();
      using _listener = listener;
      using made = new DisposableStack();
      const near = made.use(await connecting); // before it is accepted, so that nothing waits when it fails
      const pipe = new SelfPipe(near, await listener.accept());
      made.move();
      return pipe;
    } catch {
      return undefined; // whoever asks has a slower way
    }
  }

  /** Rings, and waits until that was heard. Who comes while it rings waits for the same. */
  ring(): Promise<void> {
    return this.#ringing ??= this.#ring().finally(() => this.#ringing = undefined);
  }

  [Symbol.dispose](): void {
    this.#near.close();
    this.#far.close();
  }

  async #ring(): Promise<void> {
    try {
      const heard = this.#far.read(this.#byte);
      await Promise.all([this.#near.write(this.#byte), heard]);
    } catch (error) {
      // It was closed while somebody else still rang: nothing is lost.
      if (!(error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** In a folder that is gone again at once: a connection that has begun needs it no more, and an exit leaves nothing. */
function listenToOurselves(): { listener: Deno.UnixListener; connecting: Promise<Deno.UnixConn> } {
  const folder = Deno.makeTempDirSync({ prefix: "app-" }); // nobody else may look into it
  const address = { transport: "unix", path: `${folder}/self` } as const;
  let listener: Deno.UnixListener | undefined;
  try {
    listener = Deno.listen(address);
    return { listener, connecting: Deno.connect(address) };
  } finally {
    // One by one: to remove a folder with what is in it takes a descriptor, and there may be none left.
    if (listener) Deno.removeSync(address.path);
    Deno.removeSync(folder);
  }
}
