import { createLogger } from "@countersign/service-kit";
import { shareSecrets } from "./share-secrets.js";

/** Run once before everything else, with the folders `/secrets/kept` and one more for each reader. */
const made = shareSecrets("/secrets/kept", "/secrets", process.getuid?.() === 0);
createLogger("secrets", "info").info({ count: made.length }, "secrets made; all others were there");
