/** The services and where each listens unless told otherwise. */
export const servicePorts = {
  proxy: 8080,
  identity: 8081,
  "session-broker": 8082,
  approval: 8083,
  masking: 8084,
  audit: 8085,
} as const;

export type ServiceName = keyof typeof servicePorts;
export const serviceNames = Object.keys(servicePorts) as ServiceName[];

/** The audience of access tokens for Countersign's own APIs (sessions, approvals, evidence, vault). */
export const apiAudience = "urn:countersign:api";
