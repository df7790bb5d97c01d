const messagesMax = 64;
const bytesMax = 1024 * 1024;

/** What a server said while nobody listened: the latest of it, bounded. */
export class Backlog {
  #messages: Buffer[] = [];
  #bytes = 0;

  keep(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += message.length;
    while (this.#messages.length > messagesMax || this.#bytes > bytesMax) {
      this.#bytes -= this.#messages.shift()?.length ?? 0;
    }
  }

  take(): Buffer[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }
}
