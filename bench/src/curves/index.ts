/** The curves there are, in the order of the page. */
import { children } from "./children.js";
import type { Curve } from "./curve.js";
import { sessions } from "./sessions.js";
import { watches } from "./watches.js";
import { znodes } from "./znodes.js";

export const curves: readonly Curve[] = [znodes, watches, sessions, children];
