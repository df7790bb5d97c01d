export const schemaName = "session_broker";
