export { proxyService } from "./service.js";
