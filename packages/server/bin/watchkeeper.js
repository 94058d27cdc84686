#!/bin/sh
":" //#; exec node --max-semi-space-size=8 "$0" "$@"
// Two languages in one file. To the shell it is a command that becomes node in the same process, so that
// this process's pid is the server's; to node the first line is a shebang and the second a string and a
// comment. The flag keeps the room for young objects within the processor's caches, and the process small:
// measured beside 16 (V8's own) and 32 MiB, up to a third more new sessions a second and a tenth less memory,
// the other loads alike. V8 takes it only at its start. The program itself is compiled to dist by the build;
// this file is here before that, so that npm can link it.
import "../dist/cli/main.js";
