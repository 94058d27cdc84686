/**
 * Watches: who watches what, and which change wakes whom. It knows paths and watchers (numbers), not
 * the tree, not connections; watches are this server's alone and never replicated (M12).
 */
export { type EventSink, WATCH_BIT, WatchTable } from "./watch-table.js";
