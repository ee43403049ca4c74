/**
 * The format `greeting`: a client tells its name and a number, and is told the server's.
 *
 *     Client of NAME: NUMBER          ->  Server of NAME: NUMBER
 */
const FORM = /^Client of .*: .*$/s;

/** Whether `bytes` are a greeting in their whole form, whatever stands for the number. */
export function hasGreetingForm(bytes: Uint8Array): boolean {
  return FORM.test(new TextDecoder().decode(bytes));
}
