/**
 * Tables and cells outside the garbage-collected heap, for the things a server has by the million:
 * znodes and watches. It knows bytes and integers, nothing of what they mean.
 */
export { hashBytes, sameBytes } from "./byte-hash.js";
export { CellStore } from "./cell-store.js";
export { HashIndex } from "./hash-index.js";
export { PagedInts } from "./paged-ints.js";
