import { runService } from "@countersign/service-kit";
import { maskingService } from "./service.js";

await runService(maskingService);
