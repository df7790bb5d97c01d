import { runService } from "@countersign/service-kit";
import { proxyService } from "./service.js";

await runService(proxyService);
