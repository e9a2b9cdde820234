/**
 * The one error type that users see, and the table of exit codes.
 *
 * A failure is one sentence: what failed, with which value, and what to do.
 */

/**
 * Exit codes of every program here, by kind of failure.
 *
 * - `failed` 1: the work was done and its result is bad (no call succeeded, a
 *   server is not serving, a claim is broken).
 * - `usage` 2: the command line is wrong.
 * - `environment` 3: something the program needs is not there (a port is
 *   taken, a tool is missing or broken, an input file cannot be read).
 * - `internal` 70: a bug in this program; the number is BSD's EX_SOFTWARE.
 * - `interrupted` 130: stopped by a signal before there was a result; the number
 *   is 128 + SIGINT, as shells count it.
 */
export const EXIT_CODES = {
  failed: 1,
  usage: 2,
  environment: 3,
  internal: 70,
  interrupted: 130,
} as const;

/**
 * Exit code of a server that has drained and asks to be restarted; the number
 * is BSD's EX_TEMPFAIL.
 */
export const RESTART_EXIT_CODE = 75;

/** A kind of failure; it decides the exit code. */
export type FailureKind = keyof typeof EXIT_CODES;

/** An expected failure: the user sees its message, without a stack trace. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;

  /**
   * @param kind Decides the exit code.
   * @param message One sentence (or one line per bad flag): what failed, with
   * which value, and what to do.
   * @param options The error behind it, if there is one.
   */
  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /** The exit code of a program that ends with this failure. */
  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }

  /** Makes a failure of anything thrown; unknown errors are `internal`. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const text = thrown instanceof Error
      ? thrown.stack ?? thrown.message
      : String(thrown);
    return new Failure(
      "internal",
      `This is a defect of the program, please report it: ${text}`,
      { cause: thrown },
    );
  }
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
