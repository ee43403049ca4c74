/**
 * Records in a CSV file, or in the built-in table with a file of the user's own for what is added.
 *
 * Nothing is loaded before somebody asks. The file may be edited by hand meanwhile: whoever asks looks, now and then,
 * whether it has changed, and waits until it is loaded anew; the others get answers from what was there before.
 */
import { breathe } from "../../protocol/breathe.ts";
import { AppError, toAppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { translated } from "../../protocol/files/fs_errors.ts";
import { RECORD_NAME_LENGTH_MAX } from "../../protocol/limits.ts";
import { CountryTable } from "./country_table.ts";
import { type Fingerprint, fingerprintOf, LockedCsv, readCsv } from "./csv_file.ts";
import type { Columns, RowFault } from "./csv_rows.ts";
import type { CountryRecord, RecordStore } from "./record_store.ts";
import { keyOf } from "./spelling.ts";
import { USUAL_HEADER } from "./torn_row.ts";

/** How often it is looked whether the file has changed. */
const LOOK_EVERY_MS = 250;
const PATIENCE_MS = 5_000;
const FAULTS_TOLD_MAX = 20;
const REFRESH_ATTEMPTS = 5;

export interface CsvStoreOptions {
  /** The table, or with `isBuiltIn` what is added to the built-in one; without a file nothing can be added. */
  readonly file?: string | undefined;
  /** Whether the built-in table is part of it. */
  readonly isBuiltIn: boolean;
  /** How long to wait while others add to the file. @default 5,000 */
  readonly patienceMs?: number;
  /** Told of rows that are no records. */
  readonly onFault?: (file: string, fault: RowFault) => void;
  /** Told of a file whose first row does not say where the columns are: they are taken in their usual order. */
  readonly onHeaderless?: (file: string) => void;
  /** Told before the first record is added. */
  readonly onFirstAdd?: (file: string) => void;
}

export class CsvStore implements RecordStore {
  readonly #options: CsvStoreOptions;
  #table: CountryTable | undefined;
  #columns: Columns | undefined;
  /** The state of a file in which a row was not finished: its writer may be alive, and only in the midst of it. */
  #tornSeen: Fingerprint | undefined;
  #seen: Fingerprint | undefined;
  #lookAt = 0;
  #loading: Promise<void> | undefined;
  #adding: Promise<void> = Promise.resolve();
  #hasAdded = false;
  #isHeaderless = false;
  readonly #told = new Set<string>();

  constructor(options: CsvStoreOptions) {
    this.#options = options;
  }

  peek(country: string): CountryRecord | undefined {
    return performance.now() < this.#lookAt ? this.#table?.find(country) : undefined;
  }

  async find(country: string): Promise<CountryRecord | undefined> {
    return this.peek(country) ?? (await this.refresh()).find(country);
  }

  async suggest(country: string): Promise<readonly string[]> {
    return (await this.refresh()).suggest(country);
  }

  async add({ country, capital, population }: CountryRecord): Promise<void> {
    const named = { country: country.trim(), capital: capital.trim() };
    const record = population === undefined ? named : { ...named, population };
    verifyRecord(record);
    const added = this.#adding.then(() => this.#add(record));
    this.#adding = added.catch(() => {}); // the next one has nothing to do with its failure
    try {
      await added;
    } catch (error) {
      throw translated("add", record.country, error);
    }
  }

  /** Loads the table if that was not done, or if its file has changed. */
  async refresh(): Promise<CountryTable> {
    this.#lookAt = performance.now() + LOOK_EVERY_MS;
    const { file } = this.#options;
    const seen = file === undefined ? "" : fingerprintOf(file);
    if (!this.#table || (seen !== this.#seen && this.#mayLoad(seen))) {
      await (this.#loading ??= this.#load().finally(() => this.#loading = undefined));
    }
    return this.#table!;
  }

  /** What is being loaded may have been read before the lock was ours. */
  async #refreshWholly(file: string): Promise<CountryTable> {
    for (let attempt = 0; attempt < REFRESH_ATTEMPTS; attempt++) {
      await this.refresh();
      if (fingerprintOf(file) === this.#seen) break;
    }
    return this.#table!;
  }

  /** A file that is gone for a moment, because somebody puts another one in its place, keeps its table. */
  #mayLoad(seen: Fingerprint): boolean {
    return seen !== "" || this.#options.isBuiltIn;
  }

  async #load(): Promise<void> {
    const { file, isBuiltIn } = this.#options;
    const table = new CountryTable();
    if (isBuiltIn) await addBuiltIn(table);
    const { text, seen } = file === undefined ? { text: "", seen: "" } : await this.#read(file);
    if (text === undefined) {
      this.#table ??= table;
      this.#seen = seen;
      return;
    }
    const isTorn = text !== "" && await this.#loadRows(file!, text, table);
    const isInWork = isTorn && seen !== this.#tornSeen;
    this.#tornSeen = isTorn ? seen : undefined;
    this.#table = table;
    this.#seen = isInWork ? undefined : seen;
  }

  /** A file that cannot be read takes nothing away that is known without it: then it is told of, and has no text. */
  async #read(file: string): Promise<{ text?: string; seen: Fingerprint }> {
    try {
      return await readCsv(file);
    } catch (error) {
      if (!this.#table && !this.#options.isBuiltIn) throw error;
      const reason = toAppError(translated("read", file, error), "Cannot read it").message;
      this.#tell(file, [{ line: 0, column: 0, reason }]);
      return { seen: fingerprintOf(file) };
    }
  }

  /** Whether the last row is not finished. */
  async #loadRows(file: string, text: string, table: CountryTable): Promise<boolean> {
    const { CsvRows } = await import("./csv_rows.ts");
    const rows = new CsvRows(text);
    for (let row = rows.next(); row; row = rows.next()) {
      const { line, record } = row;
      if (!table.add(record)) {
        rows.faults.push({ line, column: 1, reason: `${quoteName(record.country)} is there already` });
      }
      if (line % 256 === 0) await breathe();
    }
    this.#tell(file, rows.faults);
    this.#columns = rows.columns;
    if (!rows.hasHeader && !this.#isHeaderless) this.#options.onHeaderless?.(file);
    this.#isHeaderless = !rows.hasHeader;
    return rows.isTorn;
  }

  /** Tells of each fault once, however often the file is loaded. */
  #tell(file: string, faults: readonly RowFault[]): void {
    const { onFault } = this.#options;
    for (const fault of faults.slice(0, FAULTS_TOLD_MAX)) {
      const words = JSON.stringify(fault);
      if (!this.#told.has(words)) onFault?.(file, fault);
      this.#told.add(words);
    }
    const { length } = faults;
    if (length > FAULTS_TOLD_MAX) onFault?.(file, { line: 0, column: 0, reason: `${length} rows are broken in all` });
  }

  async #add(record: CountryRecord): Promise<void> {
    const { file, isBuiltIn, patienceMs = PATIENCE_MS } = this.#options;
    if (file === undefined) throw new AppError("read_only", "The built-in table takes no additions here");
    if (isBuiltIn) makeDirectoryOf(file);
    for (;;) {
      using locked = await LockedCsv.open(file, isBuiltIn, patienceMs);
      const table = await this.#refreshWholly(file);
      if (table.find(record.country)) throw new AppError("exists", "Country already exists");
      const seen = await this.#append(locked, record);
      if (!locked.isCurrent()) continue; // somebody put another file in its place meanwhile
      table.add(record);
      this.#seen = seen;
      return;
    }
  }

  async #append(locked: LockedCsv, record: CountryRecord): Promise<Fingerprint> {
    const { formatRow, USUAL_COLUMNS } = await import("./csv_rows.ts");
    const columns = this.#columns ?? USUAL_COLUMNS;
    if (record.population !== undefined && columns.population < 0) {
      throw new AppError("bad_record", `Cannot add ${quoteName(record.country)}: the table has no populations`, {
        advice: "Leave the population out",
      });
    }
    if (!this.#hasAdded) this.#options.onFirstAdd?.(this.#options.file!);
    this.#hasAdded = true;
    return await locked.append(formatRow(record, columns), USUAL_HEADER);
  }
}

/** Where a file stands in its place, opening tells so; "the name is taken" would be taken for the country. */
function makeDirectoryOf(file: string): void {
  try {
    Deno.mkdirSync(file.replace(/[/\\][^/\\]*$/, ""), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

async function addBuiltIn(table: CountryTable): Promise<void> {
  const { COUNTRIES } = await import("./countries.ts");
  for (const [country, capital, population] of COUNTRIES) table.add({ country, capital, population });
}

/** Throws `bad_record` for what a row could not hold, or what no question could find. */
function verifyRecord({ country, capital, population }: CountryRecord): void {
  for (const name of [country, capital]) {
    const fault = faultOf(name);
    if (fault) throw new AppError("bad_record", `Cannot add ${quoteName(country)}: ${quoteName(name)} ${fault}`);
  }
  if (population !== undefined && !(Number.isSafeInteger(population) && population >= 0)) {
    throw new AppError("bad_record", `Cannot add ${quoteName(country)}: the population is no whole number`);
  }
}

/** A double quote would have to be doubled in its row, and a row that was cut in the midst of it could pass for a whole one. */
function faultOf(name: string): string | undefined {
  if (keyOf(name) === "") return "has no letter";
  if (name.length > RECORD_NAME_LENGTH_MAX) return `is longer than ${RECORD_NAME_LENGTH_MAX} letters`;
  if (/["\p{Cc}\p{Zl}\p{Zp}\ufeff\ufffd]/u.test(name) || !name.isWellFormed()) {
    return "has a double quote, a line end or a control character";
  }
}
