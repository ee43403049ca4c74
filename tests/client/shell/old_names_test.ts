/** The old names stand for ours, and take all behind them for one text. */
import { translateOld } from "../../../client/shell/old_names.ts";
import { splitWords } from "../../../client/shell/words.ts";
import { assertEquals } from "../../support/assert.ts";

for (
  const [line, words] of [
    ["COMMANDS", ["help"]],
    ["GET_CITY France", ["capital", "France"]],
    ["GET_CITY Antigua and Barbuda", ["capital", "Antigua and Barbuda"]],
    ["GET_POPULATION 'United States' --json", ["population", "--json", "United States"]],
    ["ADD_NEW_COUNTRY Atlantis,Poseidonis", ["add", "Atlantis", "Poseidonis"]],
    ["ADD_NEW_COUNTRY New Atlantis, Port One, 12", ["add", "New Atlantis", "Port One", "12"]],
    ["ADD_NEW_COUNTRY 'New Atlantis' Poseidonis", ["add", "New Atlantis", "Poseidonis"]],
    ["GET_CITY", ["capital"]],
    ["HEART", ["ping"]],
    ["STOP", ["exit"]],
    ["stop", ["stop"]],
    ["get GET_CITY a b", ["get", "GET_CITY", "a", "b"]],
    ["", []],
  ] as const
) {
  Deno.test(`${JSON.stringify(line)} means ${JSON.stringify(words)}`, () => {
    assertEquals(translateOld(splitWords(line)), words);
  });
}
