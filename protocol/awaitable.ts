/** What may be there already, or only promised: most of what is done for each of a million files waits for nothing. */
export type Awaitable<T> = T | Promise<T>;

/** `next` of `value`, at once where that is there: a promise for each of many things would take longer than they do. */
export function andThen<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
