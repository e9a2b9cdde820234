/** The modules of which a Go program was built, as its executable names them. */

/** A module that is linked into a program. */
export interface GoModule {
  readonly path: string;
  /** For example "v1.8.1". */
  readonly version: string;
  /** Its checksum, as go.sum has it: "h1:…". */
  readonly sum: string;
}

/** A line of the text that Go's linker adds; the first is the program's own. */
const LINE = /^(?:mod|dep)\t(\S+)\t(v\S+)\t(h1:\S+)$/gm;

/** Where that text begins, and what is in it only once. */
const START = "path\t";

/**
 * Reads the modules of a Go program; one that is replaced is left out.
 *
 * @param executable Its bytes.
 * @returns The modules, the program's own first; none if it is not Go's.
 */
export function goModules(executable: Uint8Array): readonly GoModule[] {
  // Latin-1 keeps every byte; the text is ASCII.
  const text = new TextDecoder("latin1").decode(executable);
  const own = text.search(/path\t\S+\nmod\t\S+\tv\S+\th1:/);
  if (own < 0) return [];
  const end = text.indexOf("\nbuild\t", own + START.length);
  return [...text.slice(own, end < 0 ? undefined : end).matchAll(LINE)]
    .map(([, path = "", version = "", sum = ""]) => ({ path, version, sum }));
}
