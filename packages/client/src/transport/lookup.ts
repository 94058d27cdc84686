import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";

/**
 * Resolves a name to all its addresses, in random order: where one name stands for all servers of an
 * ensemble, clients must not all dial the first.
 */
export const lookupShuffled: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, []);
      return;
    }
    for (let i = addresses.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [addresses[i], addresses[j]] = [addresses[j]!, addresses[i]!];
    }
    const [first] = addresses;
    if (options.all === true || first === undefined) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
