/** "Did you mean …?" */
import { assertEquals } from "../support/assert.ts";
import { didYouMean } from "../../protocol/cli/suggest.ts";

const COMMANDS = ["serve", "get", "put", "list", "stat", "digest", "mkdir", "move", "remove"];

Deno.test("suggestion names what is one letter away", () => {
  for (const [given, meant] of [["serv", "serve"], ["lists", "list"], ["stad", "stat"], ["gett", "get"]] as const) {
    assertEquals(didYouMean(given, COMMANDS), `: did you mean ${meant}?`);
  }
});

Deno.test("suggestion forgives more in longer words", () => {
  assertEquals(didYouMean("remvoe", COMMANDS), ": did you mean remove?");
  assertEquals(didYouMean("--alow-overwirte", ["--allow-overwrite"]), ": did you mean --allow-overwrite?");
});

Deno.test("suggestion names a command with two letters swapped, however short it is", () => {
  for (const [given, meant] of [["lsit", "list"], ["sevre", "serve"], ["mvoe", "move"], ["upt", "put"]] as const) {
    assertEquals(didYouMean(given, COMMANDS), `: did you mean ${meant}?`);
  }
});

Deno.test("suggestion takes the nearest", () => {
  assertEquals(didYouMean("mov", ["more", "move"]), ": did you mean move?");
  assertEquals(didYouMean("--forma", ["--form", "--format"]), ": did you mean --form?");
});

Deno.test("nothing is suggested for what resembles nothing", () => {
  for (const given of ["", "x", "banana", "frobnicate", "serverless-computing"]) {
    assertEquals(didYouMean(given, COMMANDS), "", given);
  }
  assertEquals(didYouMean("get", []), "");
});
