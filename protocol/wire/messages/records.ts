/** Messages about records: what is known of a country, and adding one. */
import { optional, required, text, uint } from "../fields.ts";
import { declare } from "./declare.ts";

export const RECORD_MESSAGES = {
  /** Asks for the record of a country, under any of its spellings. Reply: `record`. */
  find: declare(0x30, "request", { country: required(1, text) }),
  /** What is known of a country, under the name that the table has for it. */
  record: declare(0x31, "part", {
    country: required(1, text),
    capital: required(2, text),
    /** Absent when the table does not say. */
    population: optional(3, uint),
  }),
  /** Adds a record, if there is none of that country under any spelling. Reply: `done`, when it is durable. */
  add: declare(0x32, "request", {
    country: required(1, text),
    capital: required(2, text),
    population: optional(3, uint),
  }),
} as const;
