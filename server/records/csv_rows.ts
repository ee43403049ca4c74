/**
 * The text of a CSV file as records, and a record as a row. Pure.
 *
 * `@std/csv` takes a record's text apart; where each record begins and ends is found here, because one broken row would
 * end that library's work on all rows behind it, and it does not tell on which line a sound row stands.
 */
// @ts-types="./std_csv_parse.d.ts"
import { parse } from "@std/csv/parse";
import type { CountryRecord } from "./record_store.ts";
import { isTornRow } from "./torn_row.ts";

/** Where the three fields stand in a row; `population` is -1 in a file without it. */
export interface Columns {
  readonly country: number;
  readonly capital: number;
  readonly population: number;
  /** How many there are, others included. */
  readonly count: number;
}

/** What is wrong with one row; line and column count from 1. */
export interface RowFault {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

export interface Row {
  readonly line: number;
  readonly record: CountryRecord;
}

export const USUAL_COLUMNS: Columns = { country: 0, capital: 1, population: 2, count: 3 };

/** Lines that an open quote may lead over; what is longer is a quote that somebody forgot to close. */
const RECORD_LINES_MAX = 20;

/** The records of a text, one by one; the columns are known after the first. */
export class CsvRows {
  readonly faults: RowFault[] = [];
  columns: Columns = USUAL_COLUMNS;
  /** Whether the first row said where the columns are; until there was one, it did. */
  hasHeader = true;
  /** Whether the last line is one that was being added when its writer was killed: it is no record. */
  readonly isTorn: boolean;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #isFirst = true;

  constructor(text: string) {
    const lastLine = text.lastIndexOf("\n") + 1;
    this.isTorn = isTornRow(text.slice(lastLine));
    this.#text = this.isTorn ? text.slice(0, lastLine) : text;
    if (text.startsWith("\ufeff")) this.#at = 1;
  }

  /** The next sound record; `undefined` at the end. What is wrong with those before it is in `faults`. */
  next(): Row | undefined {
    while (this.#at < this.#text.length) {
      const line = this.#line;
      const start = this.#at;
      const cells = this.#nextCells();
      if (!cells || cells.length === 0) continue;
      if (this.#isFirst) {
        this.#isFirst = false;
        const columns = columnsOf(cells);
        this.hasHeader = columns !== undefined;
        if (columns) this.columns = columns;
        if (columns) continue;
      }
      const record = this.#recordOf(cells, line, start);
      if (record) return { line, record };
    }
  }

  /** The cells of the record that begins here; `undefined` for a broken one, of which one line is passed over. */
  #nextCells(): string[] | undefined {
    const start = this.#at;
    const startLine = this.#line;
    let end = this.#lineEnd(start);
    if (!this.#hasOpenQuote(start, end)) {
      const line = this.#takeLine(end);
      if (line === "") return [];
      return line.includes('"') ? this.#parse(line, startLine) : line.split(",");
    }
    const firstEnd = end;
    for (let lines = 1; lines < RECORD_LINES_MAX && end < this.#text.length; lines++) {
      end = this.#lineEnd(end + 1);
      if (this.#hasOpenQuote(start, end)) continue;
      const cells = tryParse(this.#text.slice(start, end));
      if (typeof cells === "string") break;
      this.#takeLine(end);
      this.#line += lines;
      return cells;
    }
    const line = this.#takeLine(firstEnd);
    return this.#parse(line, startLine);
  }

  #parse(text: string, line: number): string[] | undefined {
    const cells = tryParse(text);
    if (typeof cells !== "string") return cells;
    this.#isFirst = false;
    const column = /column (\d+)/.exec(cells)?.[1] ?? "1";
    this.faults.push({ line, column: Number(column), reason: cells.replace(/^.*column \d+: /, "") });
  }

  #recordOf(cells: string[], line: number, start: number): CountryRecord | undefined {
    const { country: countryAt, capital: capitalAt, population: populationAt } = this.columns;
    const fault = (cell: number, reason: string) => {
      this.faults.push({ line, column: this.#columnOf(start, cells, cell), reason });
      return undefined;
    };
    const country = (cells[countryAt] ?? "").trim();
    const capital = (cells[capitalAt] ?? "").trim();
    const population = (populationAt < 0 ? "" : cells[populationAt] ?? "").trim();
    if (country === "") return fault(countryAt, "the country is missing");
    if (capital === "") return fault(capitalAt, "the capital is missing");
    if (/[\0\ufffd]/.test(country + capital)) return fault(countryAt, "it is not text in UTF-8");
    if (population === "") return { country, capital };
    if (/^\d{1,15}$/.test(population)) return { country, capital, population: Number(population) };
    return fault(populationAt, `the population is no whole number: ${JSON.stringify(population)}`);
  }

  /** Where a cell begins on its line; exact for rows without quotes, else that of the row. */
  #columnOf(start: number, cells: readonly string[], cell: number): number {
    const before = cells.slice(0, cell);
    const isPlain = this.#text.startsWith(cells.join(","), start);
    return isPlain ? before.reduce((column, text) => column + text.length + 1, 1) : 1;
  }

  #lineEnd(from: number): number {
    const end = this.#text.indexOf("\n", from);
    return end < 0 ? this.#text.length : end;
  }

  #hasOpenQuote(start: number, end: number): boolean {
    const rows = this.#text.slice(start, end); // in the whole text, each search would go on to the next quote behind it
    let isOpen = false;
    for (let at = rows.indexOf('"'); at >= 0; at = rows.indexOf('"', at + 1)) isOpen = !isOpen;
    return isOpen;
  }

  /** The line up to `end`, without a carriage return; what comes next is behind it. */
  #takeLine(end: number): string {
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    this.#line++;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }
}

/** The cells of one record, or what the library says is wrong with it. */
function tryParse(text: string): string[] | string {
  try {
    return parse(text)[0] ?? [];
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** `undefined` for a first row that is no header. */
function columnsOf(cells: readonly string[]): Columns | undefined {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  const country = names.findIndex((name) => name === "country" || name === "name");
  const capital = names.findIndex((name) => name === "capital" || name === "city");
  if (country < 0 || capital < 0) return undefined;
  return { country, capital, population: names.indexOf("population"), count: cells.length };
}

/** A record as a row of a file with those columns, with its line end. All its cells are in quotes: see `isTornRow`. */
export function formatRow({ country, capital, population }: CountryRecord, columns: Columns): string {
  const cells: string[] = new Array(columns.count).fill("");
  cells[columns.country] = country;
  cells[columns.capital] = capital;
  if (columns.population >= 0) cells[columns.population] = String(population ?? "");
  return cells.map((cell) => `"${cell}"`).join(",") + "\n";
}
