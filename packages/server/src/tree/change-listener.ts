/** Hears what changed, in the order in which watches are to fire. Offsets are into `path`, valid during the call. */
export interface ChangeListener {
  onCreated(
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void;
  /** Before the ACLs are released. `parentAcl` 0 with a parent that is gone does not happen: a node has a parent. */
  onDeleted(
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void;
  onDataChanged(path: Uint8Array, start: number, end: number, aclNumber: number): void;
}
