/** Which names mean the same country: case, accents, spaces and punctuation do not count, and some have other names. */

/** Names of one country each, as `keyOf` would write them; the first stands for all. */
const OTHER_NAMES: readonly (readonly string[])[] = [
  ["bosniaandherzegovina", "bosnia", "bosniaherzegovina"],
  ["brunei", "bruneidarussalam"],
  ["capeverde", "caboverde"],
  ["china", "prc", "peoplesrepublicofchina"],
  ["congo", "republicofthecongo", "congobrazzaville", "congorepublic"],
  ["czechia", "czechrepublic"],
  ["drcongo", "drc", "democraticrepublicofthecongo", "congokinshasa", "congodemocraticrepublic", "zaire"],
  ["eswatini", "swaziland"],
  ["germany", "deutschland"],
  ["iran", "islamicrepublicofiran", "persia"],
  ["ireland", "eire", "republicofireland"],
  ["ivorycoast", "cotedivoire"],
  ["kyrgyzstan", "kyrgyzrepublic"],
  ["laos", "laopdr"],
  ["micronesia", "federatedstatesofmicronesia"],
  ["moldova", "republicofmoldova"],
  ["myanmar", "burma"],
  ["netherlands", "holland"],
  ["northkorea", "dprk", "democraticpeoplesrepublicofkorea"],
  ["northmacedonia", "macedonia"],
  ["palestine", "stateofpalestine", "palestinianterritories"],
  ["russia", "russianfederation"],
  ["saintkittsandnevis", "stkittsandnevis", "saintkitts", "stkitts"],
  ["saintlucia", "stlucia"],
  ["saintvincentandthegrenadines", "stvincentandthegrenadines", "saintvincent", "stvincent"],
  ["slovakia", "slovakrepublic"],
  ["southkorea", "rok", "republicofkorea"],
  ["srilanka", "ceylon"],
  ["switzerland", "schweiz", "suisse"],
  ["syria", "syrianarabrepublic"],
  ["timorleste", "easttimor"],
  ["turkiye", "turkey"],
  ["unitedarabemirates", "uae", "emirates"],
  ["unitedkingdom", "uk", "greatbritain", "britain", "unitedkingdomofgreatbritainandnorthernireland"],
  ["unitedstates", "usa", "us", "unitedstatesofamerica", "america"],
  ["vaticancity", "vatican", "holysee"],
  ["vietnam", "socialistrepublicofvietnam"],
];

const BY_OTHER_NAME: ReadonlyMap<string, string> = new Map(
  OTHER_NAMES.flatMap(([first, ...others]) => others.map((other) => [other, first!] as const)),
);

/** Letters that Unicode does not take apart, though people write them without their stroke. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
  "&": "and",
};

/** What all spellings of a country's name have in common; "" when nothing of it is a letter or a digit. */
export function keyOf(name: string): string {
  const letters = name.normalize("NFKD").toLowerCase().replace(/[ßæœøłđðþı&]/g, (letter) => LETTERS[letter]!);
  // Marks of other scripts are vowels, and stay.
  const key = letters.replace(/[\u0300-\u036f]|[^\p{L}\p{M}\p{N}]/gu, "");
  const short = /^\s*the\s|,\s*the\s*$/.test(letters) ? withoutThe(letters, key) : key;
  return BY_OTHER_NAME.get(short) ?? short;
}

/** "The Gambia", and "Bahamas, The" as tables have it. */
function withoutThe(letters: string, key: string): string {
  return /^\s*the\s/.test(letters) ? key.slice(3) : key.slice(0, -3);
}
