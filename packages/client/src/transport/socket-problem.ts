/** Why a socket failed, in words. */
export function socketProblem(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError && error.errors.length > 0) return socketProblem(error.errors[0]);
  switch (error.code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ECONNRESET":
    case "EPIPE":
      return "connection reset";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name does not resolve";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no route to it";
    case "ETIMEDOUT":
      return "it did not answer";
    default:
      return error.message;
  }
}
