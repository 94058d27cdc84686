/** The path of a child. */
export function childPath(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** The path of the node above; "/" has none and is its own. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** The last name of a path. */
export function nodeName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
