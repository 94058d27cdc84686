import fc from "fast-check";

/**
 * Property tests draw the same values in every run, so that what fails was broken by the change at hand.
 * `PROPERTY_SEED=random` draws others, and a number repeats what a failure printed as its seed.
 */
const { PROPERTY_SEED = "1" } = process.env;

if (PROPERTY_SEED !== "random") fc.configureGlobal({ seed: Number(PROPERTY_SEED) });
