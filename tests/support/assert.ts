/** `@std/assert`, with its types and one check of our own. Tests import assertions from here. */
// @ts-types="./std_assert.d.ts"
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AppError, type ErrorName } from "../../protocol/errors.ts";

// @ts-types="./std_assert.d.ts"
export * from "@std/assert";

/** `call` throws an `AppError` with that code; the error, for closer looks. */
export function assertThrowsCode(call: () => unknown, code: ErrorName): AppError {
  const error = assertThrows(call, AppError);
  assertEquals(error.code, code, error.message);
  return error;
}

/** The promise is rejected with an `AppError` of that code; the error, for closer looks. */
export async function assertRejectsCode(call: () => Promise<unknown>, code: ErrorName): Promise<AppError> {
  const error = await assertRejects(call, AppError);
  assertEquals(error.code, code, error.message);
  return error;
}
