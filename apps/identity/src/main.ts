import { runService } from "@countersign/service-kit";
import { identityService } from "./service.js";

await runService(identityService);
