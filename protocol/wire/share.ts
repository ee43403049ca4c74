/**
 * The format `share`: one request, a code word in answer, and then a file that ends with the stream.
 *
 *     get,NAME   put,NAME   list      ->  pass   cancel   NAME, NAME,
 */
const FORM = /^(list$|get,|put,)/;

/** Whether `bytes` are a request of this format. */
export function isShareRequest(bytes: Uint8Array): boolean {
  return FORM.test(new TextDecoder().decode(bytes));
}
