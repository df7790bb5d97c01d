/**
 * Loaded into every service that the launcher starts. A service ends by itself when its channel to the launcher
 * closes; this makes sure of it for one that is still starting, or that hangs while it stops. It imports nothing
 * from this package, so that Node can run it from its source as well as built.
 */
const exitTimeoutMs = 15_000;

const giveUp = () => setTimeout(() => process.exit(1), exitTimeoutMs).unref();

if (process.connected) process.once("disconnect", giveUp);
else giveUp();
