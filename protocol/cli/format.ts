/** Sizes, speeds and times as people read and write them. Pure. */

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

/** 1945600 -> `1.9 MB`; decimal units, as disks and networks count. */
export function formatSize(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i;
const POWERS: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4 };

/** `500` -> 500, `10M` -> 10,000,000, `10MiB` -> 10,485,760; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (!match) return;
  const bytes = Number(match[1]) * (match[3] ? 1024 : 1000) ** POWERS[match[2]!.toLowerCase()]!;
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined;
}

const DURATION = /^(\d{1,9}(?:\.\d+)?)\s*([smhdw])$/i;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `90s` -> 90,000, `1.5h` -> 5,400,000; `undefined` for anything else, also without a unit. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match ? Math.round(Number(match[1]) * UNIT_MS[match[2]!.toLowerCase()]!) : undefined;
}

/** 3723 -> `1:02:03`, 5 -> `0:05`; whole seconds. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number: number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** 1234567 -> `1,234,567`; without the runtime's tables of languages, which take 10 ms to load. */
export function formatNumber(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 file`, `3,000 files`. */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** 2026-11-20 18:08, in the person's own time zone. */
export function formatTime(ms: number): string {
  const time = new Date(ms);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
