// Errors that are meant for people: what happened, the values, and what to do about it.

export interface UserErrorOptions {
  /** Where the mistake stands: `file:line:column`, a module path, an option's name. */
  readonly place?: string;
  /** What to do about it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** A mistake of the user's: programs print the message without a stack and exit with code 2. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly place: string | undefined;
  readonly remedy: string | undefined;

  constructor(message: string, options: UserErrorOptions = {}) {
    const place = options.place === undefined || options.place === '' ? '' : `${options.place}: `;
    const remedy = options.remedy === undefined ? '' : ` — ${options.remedy}`;
    super(`${place}${message}${remedy}`, options.cause === undefined ? {} : { cause: options.cause });
    this.place = options.place;
    this.remedy = options.remedy;
  }
}

/** Shapes that an operation cannot combine. */
export class ShapeError extends UserError {
  override readonly name = 'ShapeError';
}

/** Dtypes that an operation cannot combine. */
export class DtypeError extends UserError {
  override readonly name = 'DtypeError';
}

/** A broken promise inside the library: never the user's fault. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}

/** For `default` branches of exhaustive switches. */
export function unreachable(value: never): never {
  throw new InternalError(`unexpected value ${JSON.stringify(value)}`);
}

/** `[2, 3]` as text. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
