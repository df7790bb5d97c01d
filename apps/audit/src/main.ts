import { runService } from "@countersign/service-kit";
import { auditService } from "./service.js";

await runService(auditService);
