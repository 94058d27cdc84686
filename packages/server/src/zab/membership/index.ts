/**
 * Who belongs to an ensemble: the grammar of its server lines, and a whole configuration with its quorums and its
 * canonical text. It knows no file and no connection.
 */
export {
  EnsembleConfig,
  EnsembleConfigError,
  type EnsembleConfigParts,
  type EnsembleMember,
} from "./ensemble-config.js";
export { formatHostPort, readHost } from "./host-name.js";
export { PropertiesError, type Property, parseProperties } from "./properties.js";
export {
  type Address,
  type PeerAddress,
  parseRole,
  parseServerGroup,
  parseServerLine,
  parseServerWeight,
  type ServerGroup,
  type ServerLine,
  ServerLineError,
  type ServerRole,
  type ServerWeight,
} from "./server-lines.js";
