import type { Replica } from "../../replica/index.js";
import type { ServerSettings } from "../config/index.js";
import type { EnsembleView } from "./ensemble-view.js";

/** What the words may look at. */
export interface WordContext {
  readonly replica: Replica;
  readonly settings: ServerSettings;
  /** The port clients connect to, which the settings leave open where they say 0. */
  readonly clientPort: () => number;
  readonly directorySizes: () => { readonly dataDirBytes: number; readonly logDirBytes: number };
  readonly fsyncThresholdExceedCount: () => number;
  /** Left out for a single server. */
  readonly ensemble?: () => EnsembleView;
}
