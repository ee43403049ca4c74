/** Whether there is a Python, which some tests need. */

function findPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skipped: no python3");
    return false;
  }
}

export const HAS_PYTHON = findPython();
