export * from "./launch-error.js";
export * from "./kafka.js";
export * from "./postgres.js";
export * from "./ports.js";
export * from "./progress.js";
