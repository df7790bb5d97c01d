/**
 * The one base of every error that Countersign raises on purpose. `code` is stable and safe to show and to count;
 * `message` says what the reader should do next. Neither ever holds card data, a token, a secret or a payload.
 */
export class CountersignError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
