export const schemaName = "approval";
