import { join } from "node:path";

/** The root of this checkout. Sources and the built launcher lie equally deep below it. */
export const repositoryRoot = join(import.meta.dirname, "../../..");
