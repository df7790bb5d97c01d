import { endpointName, sha256 } from "@countersign/contracts";
import { z } from "zod";

/** Body of `POST /endpoints/:name/tools/:tool/accept`: exactly the definition that was looked at. */
export const acceptToolRequest = z.object({ digest: sha256 });
export type AcceptToolRequest = z.infer<typeof acceptToolRequest>;

export const endpointParam = endpointName;
export const toolParam = z.string().min(1).max(256);
