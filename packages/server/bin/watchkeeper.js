#!/usr/bin/env node
// npm links this file before anything is built; the program itself is compiled to dist by the build.
import "../dist/cli/main.js";
