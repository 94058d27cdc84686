/**
 * The Java properties that an existing installation hands its server: `-D` flags in SERVER_JVMFLAGS
 * and JVMFLAGS. Everything else in there (`-Xmx2g`, agents) is for a JVM and does not concern us.
 */
export interface JvmProperty {
  readonly name: string;
  readonly value: string;
  /** The environment variable it came from. */
  readonly variable: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** In the order in which a JVM would see them: where a name stands twice the last counts. */
export function readJvmFlags(environment: Environment): JvmProperty[] {
  return [
    ...autocreateSwitch(environment),
    ...propertiesIn("SERVER_JVMFLAGS", environment),
    ...propertiesIn("JVMFLAGS", environment),
  ];
}

/** Apache's start script turns this variable, set to anything, into a flag ahead of the others. */
function autocreateSwitch(environment: Environment): JvmProperty[] {
  const variable = "ZOO_DATADIR_AUTOCREATE_DISABLE";
  return environment[variable] ? [{ name: "zookeeper.datadir.autocreate", value: "false", variable }] : [];
}

function propertiesIn(variable: string, environment: Environment): JvmProperty[] {
  return splitWords(environment[variable] ?? "").flatMap((word) => {
    const flag = /^-D([^=]+)(?:=(.*))?$/s.exec(word);
    return flag === null ? [] : [{ name: flag[1]!, value: (flag[2] ?? "").trim(), variable }];
  });
}

/**
 * Words as a shell splits them: blanks separate, quotes hold together, a backslash takes the next
 * character as it is (in double quotes only a quote or another backslash). An unclosed quote ends with the text.
 */
function splitWords(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+/gs) ?? [];
  return words.map((word) =>
    word.replace(
      /"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)/gs,
      (_part, double: string | undefined, single: string | undefined, escaped: string | undefined) =>
        double?.replace(/\\(["\\])/g, "$1") ?? single ?? escaped ?? "",
    ),
  );
}
