/**
 * Authorities that a person added for other programs, as companies do that look into all their connections. Those may
 * sign whatever name they like, and so could stand in for any server of ours.
 */

const VARIABLES = ["DENO_CERT", "DENO_TLS_CA_STORE", "NODE_EXTRA_CA_CERTS"];

/**
 * The runtime looks at these variables when TLS first begins in a process: from here on it trusts none of them. For the
 * program alone; a library has no business with the environment of its program.
 */
export function trustNoAddedAuthorities(): void {
  for (const name of VARIABLES) if (Deno.env.get(name) !== undefined) Deno.env.delete(name);
}
