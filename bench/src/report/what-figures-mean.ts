/** Said wherever figures are shown: what the load generator does to them. */
export const WHAT_FIGURES_MEAN = `What the figures mean. The load generator is itself a Node program on the same machine: it shares cores,
caches and the loopback device with the server it measures. Absolute figures hold for one run on one
machine; quote ratios of servers measured in the same run. The loop is closed (a connection sends its
next request when a reply comes), so latencies leave out the queue an open system would have. Where the
generator's own CPU share ("generator %", of one core) comes near 100, the generator sets the throughput
and the true ratio of the servers is further from 1 than the one shown.`;
