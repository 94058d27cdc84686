/**
 * One vitest test per check of a client program. The program is run once, against a fresh server; it
 * prints `ok NAME` or `not ok NAME: why` per check and `N passed, N failed` at its end. The names are
 * listed in the test file as well, so that a program that stops half-way, or no longer makes a check,
 * is noticed.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Program, type ProgramRun, runProgram } from "./programs.js";
import type { ServerProcess } from "./server-process.js";
import { target } from "./target.js";

interface ProgramReport {
  /** Every check the program reported, with the reason if it failed. */
  readonly failures: ReadonlyMap<string, string | undefined>;
  readonly summary: string | undefined;
  readonly run: ProgramRun;
}

export interface ProgramChecks {
  /** Who talks to the server, as in `the C client`. */
  readonly client: string;
  readonly prepare: () => Promise<Program>;
  readonly names: readonly string[];
  readonly deadlineMs: number;
}

const preparationMs = 120_000;

function parseReport(run: ProgramRun): ProgramReport {
  const failures = new Map<string, string | undefined>();
  const lines = run.stdout.trimEnd().split("\n");
  for (const line of lines) {
    const [, not, name, why] = /^(not )?ok (.*?)(?:: (.*))?$/.exec(line) ?? [];
    if (name !== undefined) failures.set(name, not === undefined ? undefined : (why ?? "no reason given"));
  }
  const last = lines.at(-1);
  return { failures, summary: last !== undefined && /^\d+ passed, \d+ failed$/.test(last) ? last : undefined, run };
}

export function describeChecks(checks: ProgramChecks): void {
  describe(`${checks.client} against ${target.name}`, () => {
    let program: Program | undefined;
    let server: ServerProcess | undefined;
    let report: ProgramReport;

    beforeAll(async () => {
      program = await checks.prepare();
      server = await target.start();
      const args = [...program.args, server.connectString];
      report = parseReport(await runProgram(program.command, args, { deadlineMs: checks.deadlineMs }));
    }, checks.deadlineMs + preparationMs);

    afterAll(async () => {
      program?.dispose();
      await server?.stop();
    });

    test.each(checks.names)("%s", (name) => {
      if (!report.failures.has(name))
        throw new Error(`the program did not report on this check; ${howItEnded(report)}`);
      const why = report.failures.get(name);
      if (why !== undefined) throw new Error(why);
    });

    test("the program makes these checks, no others, and ends by itself", () => {
      const failed = [...report.failures.values()].filter((why) => why !== undefined).length;
      expect([...report.failures.keys()].sort()).toEqual([...checks.names].sort());
      expect(report.summary, howItEnded(report)).toBe(`${report.failures.size - failed} passed, ${failed} failed`);
      expect(report.run.ending).toBe(failed === 0 ? "exit code 0" : "exit code 1");
    });
  });
}

function howItEnded(report: ProgramReport): string {
  return `it ended with ${report.run.ending} and wrote on standard error:\n${report.run.stderr.slice(-4_000)}`;
}
