import { NO_NODE, ROOT } from "./node-store.js";
import type { Tree, TreeWalker } from "./tree.js";

/**
 * A walk over all nodes, parents first, in slices between which the tree changes. A node that is
 * removed while it is the next one is stepped over; one that is added behind the cursor is not seen,
 * one ahead of it is. What a snapshot misses in this way stands in the log after it.
 */
export class TreeCursor implements TreeWalker {
  private at: number = ROOT;
  private readonly tree: Tree;

  constructor(tree: Tree) {
    this.tree = tree;
    tree.addWalker(this);
  }

  /** The next node, or NO_NODE when all have been visited. */
  take(): number {
    const node = this.at;
    if (node !== NO_NODE) this.at = this.tree.nodeAfter(node);
    return node;
  }

  onRemove(node: number): void {
    // A node that is removed has no children, so what follows it is what follows its subtree.
    if (this.at === node) this.at = this.tree.nodeAfterSubtree(node);
  }

  /** Idempotent. */
  close(): void {
    this.at = NO_NODE;
    this.tree.removeWalker(this);
  }
}
