// SPDX-License-Identifier: Apache-2.0
/** A strict JSON reader: what `JSON.parse` lets pass and canonical documents may not hold is refused. */
import type { Json } from "./canonical";
import { InvalidDocument } from "./errors";

const SPACE = /[ \t\n\r]*/y;
// The four characters outside U+0020…, quote and backslash end a plain stretch of text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const WORDS: Record<string, Json> = { true: true, false: false, null: null };
const ESCAPED: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Reads one document; `at` is the position of the next character. */
export class Reader {
  private at = 0;

  constructor(
    private readonly source: string,
    private readonly maxDepth: number,
  ) {}

  document(): Json {
    const value = this.value(0);
    this.match(SPACE);
    if (this.at < this.source.length) this.refuse("the end of the document");
    return value;
  }

  private value(depth: number): Json {
    this.match(SPACE);
    const first = this.source[this.at];
    if (depth >= this.maxDepth && (first === "{" || first === "[")) {
      throw new InvalidDocument("document", `at most ${this.maxDepth} levels`, "more");
    }
    if (first === "{") return this.objectOf(depth);
    if (first === "[") return this.listOf(depth);
    if (first === '"') return this.text();
    const word = this.match(WORD);
    return word ? (WORDS[word[0]] ?? null) : this.integer();
  }

  private objectOf(depth: number): Json {
    const result: Record<string, Json> = Object.create(null);
    this.sequence("{", "}", () => {
      this.match(SPACE);
      const key = this.text();
      if (key in result) throw new InvalidDocument(key, "one such field", "several");
      this.expect(":");
      result[key] = this.value(depth + 1);
    });
    return result;
  }

  private listOf(depth: number): Json {
    const result: Json[] = [];
    this.sequence("[", "]", () => {
      result.push(this.value(depth + 1));
    });
    return result;
  }

  private sequence(open: string, close: string, item: () => void): void {
    this.expect(open);
    this.match(SPACE);
    if (this.source[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      this.match(SPACE);
      if (this.source[this.at] === close) break;
      this.expect(",");
    }
    this.at += 1;
  }

  private text(): string {
    this.expect('"');
    let result = "";
    for (;;) {
      result += this.match(PLAIN)?.[0] ?? "";
      const next = this.source[this.at];
      if (next === '"') break;
      const escaped = this.match(ESCAPE);
      if (escaped === null) return this.refuse("the end of a text");
      result += characterOf(escaped);
    }
    this.at += 1;
    if (!result.isWellFormed())
      throw new InvalidDocument("document", "UTF-8 text", "a lone surrogate");
    return result;
  }

  private integer(): number {
    const found = this.match(NUMBER)?.[0];
    if (found === undefined) return this.refuse("a value");
    const value = Number(found);
    if (!/^-?[0-9]+$/.test(found) || !Number.isSafeInteger(value)) {
      throw new InvalidDocument("number", "an integer within ±(2^53 - 1)", found.slice(0, 80));
    }
    return value === 0 ? 0 : value;
  }

  private expect(character: string): void {
    this.match(SPACE);
    if (this.source[this.at] !== character) this.refuse(`"${character}"`);
    this.at += 1;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private refuse(expected: string): never {
    const found = this.source[this.at];
    const what = found === undefined ? "the end" : JSON.stringify(found);
    throw new InvalidDocument("document", `${expected} at character ${this.at}`, what);
  }
}

function characterOf(escaped: RegExpExecArray): string {
  const [, short, code] = escaped;
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
  return ESCAPED[short ?? ""] ?? short ?? "";
}
