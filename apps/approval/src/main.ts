import { runService } from "@countersign/service-kit";
import { approval } from "./service.js";

await runService(approval);
