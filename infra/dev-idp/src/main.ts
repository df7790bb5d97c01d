import { startDevIdp } from "./dev-idp.js";
import { signingKeysIn } from "./signing-keys.js";

const {
  HOST = "127.0.0.1",
  PORT = "8090",
  ISSUER_URL,
  COMPANY_IDP_CLIENT_ID,
  COMPANY_IDP_CLIENT_SECRET,
  CLIENT_REDIRECT_URI,
  CI_CLIENT_SECRET,
  DEV_IDP_KEYS_FILE,
  DEV_IDP_AUTO,
  DEV_IDP_ALLOW_NON_LOOPBACK,
  COUNTERSIGN_PARENT,
} = process.env;

function required(name: string, value: string | undefined): string {
  if (value) return value;
  throw new Error(`Set ${name}: the development identity provider has no client without it.`);
}

const idp = await startDevIdp({
  host: HOST,
  port: Number(PORT),
  issuer: ISSUER_URL || undefined,
  client: {
    id: required("COMPANY_IDP_CLIENT_ID", COMPANY_IDP_CLIENT_ID),
    secret: required("COMPANY_IDP_CLIENT_SECRET", COMPANY_IDP_CLIENT_SECRET),
    redirectUri: required("CLIENT_REDIRECT_URI", CLIENT_REDIRECT_URI),
  },
  workloadSecret: CI_CLIENT_SECRET || undefined,
  signingKeys: DEV_IDP_KEYS_FILE ? await signingKeysIn(DEV_IDP_KEYS_FILE) : undefined,
  autoLogin: DEV_IDP_AUTO === "1",
  allowNonLoopback: DEV_IDP_ALLOW_NON_LOOPBACK === "1",
});
process.stdout.write(`development identity provider at ${idp.issuer}: no passwords, for development only\n`);

const stop = () => void idp.stop().then(() => process.exit(0));
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
// Started by the launcher, it ends with the launcher, however that ends.
if (COUNTERSIGN_PARENT === "ipc") process.once("disconnect", stop);
