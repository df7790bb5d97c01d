/** The service's parsed configuration: `@Inject(CONFIG) config: ProxyConfig`. */
export const CONFIG = Symbol("config");
/** The service's log: `@Inject(LOG) log: Logger`. */
export const LOG = Symbol("log");
/** What transports need: `app.get<Surroundings>(SURROUNDINGS)`. */
export const SURROUNDINGS = Symbol("surroundings");
