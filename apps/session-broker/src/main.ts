import { runService } from "@countersign/service-kit";
import { sessionBroker } from "./service.js";

await runService(sessionBroker);
