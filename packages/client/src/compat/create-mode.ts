import type { CreateMode as Mode } from "../index.js";

/** The kinds of node. */
export const CreateMode = {
  PERSISTENT: 0,
  EPHEMERAL: 1,
  PERSISTENT_SEQUENTIAL: 2,
  EPHEMERAL_SEQUENTIAL: 3,
  CONTAINER: 4,
} as const;

const modes: readonly Mode[] = [
  "persistent",
  "ephemeral",
  "persistent-sequential",
  "ephemeral-sequential",
  "container",
];

export function modeOf(mode: number): Mode {
  const name = modes[mode];
  if (name === undefined) throw new RangeError(`a CreateMode expected, ${mode} found`);
  return name;
}
