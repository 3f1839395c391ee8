import type { Edit } from './mutant.ts';

interface Token {
  text: string;
  start: number;
  end: number;
}

/** PostgreSQL's lexical structure, as far as recon uses it: no dollar quotes, no `e''`. */
const lexeme =
  /(?<blank>\s+|--[^\n]*)|distinct from|'(?:[^']|'')*'|"[^"]*"|\d+(?:\.\d+)?|[a-z_]\w*|<>|<=|>=|\|\||::|>>|&&|[-+*/<>=&()[\],.:]/y;

/** Every change that breaks a statement of sql/ in one place: each operator, join, predicate, fallback and constant. */
export function sqlEdits(sql: string): Edit[] {
  const tokens = tokensOf(sql);
  const edits = tokens.flatMap((_token, at) => changes.flatMap((change) => change(new Place(tokens, at))));
  return [...operandsLeftOut(tokens), ...edits].sort((left, right) => left.start - right.start);
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  lexeme.lastIndex = 0;
  while (lexeme.lastIndex < sql.length) {
    const start = lexeme.lastIndex;
    const match = lexeme.exec(sql);
    if (match === null) throw new Error(`No SQL that this program can read: ${sql.slice(start, start + 40)}`);
    if (match.groups!['blank'] === undefined) tokens.push({ text: match[0], start, end: lexeme.lastIndex });
  }
  return tokens;
}

/** A token among the others. */
class Place {
  readonly tokens: readonly Token[];
  readonly at: number;

  constructor(tokens: readonly Token[], at: number) {
    this.tokens = tokens;
    this.at = at;
  }

  /** The text of the token so many places further on; empty beyond either end. */
  text(offset = 0): string {
    return this.tokens[this.at + offset]?.text ?? '';
  }

  /** Puts `text` in place of the next `count` tokens. */
  replace(text: string, count = 1): Edit {
    return { start: this.tokens[this.at]!.start, end: this.tokens[this.at + count - 1]!.end, with: text };
  }

  /** How many tokens there are from here on before one of `stops` that is not inside parentheses or a `case`. */
  reach(stops: ReadonlySet<string>): number {
    return spanTo(this.tokens, this.at, 1, stops);
  }
}

/** How many tokens from `at` on, in one direction, come before one of `stops` at the same depth. */
function spanTo(tokens: readonly Token[], at: number, step: 1 | -1, stops: ReadonlySet<string>): number {
  const [opening, closing] = step === 1 ? [opens, closes] : [closes, opens];
  let depth = 0;
  let count = 0;
  for (let next = tokens[at]; next !== undefined; next = tokens[at + count * step]) {
    if (depth === 0 && (stops.has(next.text) || closing.has(next.text))) break;
    if (opening.has(next.text)) depth += 1;
    if (closing.has(next.text)) depth -= 1;
    count += 1;
  }
  return count;
}

const opens = new Set(['(', '[', 'case']);
const closes = new Set([')', ']', 'end']);
const clauses = [
  ...['select', 'from', 'where', 'group', 'having', 'order', 'limit', 'union', 'window', 'on', 'by', 'rows'],
  ...['left', 'inner', 'full', 'cross', 'join', 'as', 'when', 'then', 'else', 'and', 'or', ','],
];
const operandEnds = new Set(clauses);
const keyEnds = new Set([',', 'order', 'rows', 'having', 'limit', 'union']);

/** What stands between `and`, `or`, and the words around a predicate, left out: as if it always held, or never. */
function operandsLeftOut(tokens: readonly Token[]): Edit[] {
  const edits = new Map<number, Edit>();
  const leaveOut = (from: number, count: number, text: string) => {
    const edit = new Place(tokens, from).replace(text, count);
    if (tokens[from]!.text !== 'true' && edits.get(from)?.with !== 'true') edits.set(from, edit);
  };
  for (const [at, { text }] of tokens.entries()) {
    if (isConnective(tokens, at)) {
      const before = spanTo(tokens, at - 1, -1, operandEnds);
      leaveOut(at - before, before, text === 'and' ? 'true' : 'false');
      leaveOut(at + 1, spanTo(tokens, at + 1, 1, operandEnds), text === 'and' ? 'true' : 'false');
    }
    const count = spanTo(tokens, at + 1, 1, operandEnds);
    if (isConnective(tokens, at + 1 + count)) continue;
    if (['where', 'having', 'on'].includes(text)) leaveOut(at + 1, count, 'true');
    if (text === 'when' && !isOfSimpleCase(tokens, at)) leaveOut(at + 1, count, 'false');
  }
  return [...edits.values()];
}

function isConnective(tokens: readonly Token[], at: number): boolean {
  const text = tokens[at]?.text;
  return text === 'or' || (text === 'and' && tokens[at + 1]?.text !== 'unbounded'); // rows between … and unbounded …
}

/** `case status when 'failed'` compares values, `case when …` has conditions. */
function isOfSimpleCase(tokens: readonly Token[], at: number): boolean {
  const before = spanTo(tokens, at - 1, -1, new Set());
  const first = tokens[at - before]!;
  return first.text !== 'when';
}

type Change = (place: Place) => Edit[];

const swaps: Record<string, string[]> = {
  '=': ['<>'],
  '<>': ['='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '>>': ['>> 1 +'],
  '&': ['|'],
  '&&': ['@>'],
  '||': ["|| '~' ||"],
};

/** What is written before a parenthesis. */
const functionSwaps: Record<string, string> = {
  min: 'max',
  max: 'min',
  sum: 'max',
  count: '1 + count',
  bool_or: 'bool_and',
  least: 'greatest',
  greatest: 'least',
  abs: '',
  upper: '',
  lower: '',
  nullif: 'coalesce',
};

const isLiteral = (text: string) => text.startsWith("'");
const beforeValue = new Set(['=', '<>', 'when', 'then', 'else', 'like']);

const changes: Change[] = [
  (place) => (swaps[place.text()] ?? []).map((text) => place.replace(text)),
  (place) => (isConnective(place.tokens, place.at) ? [place.replace(place.text() === 'and' ? 'or' : 'and')] : []),
  (place) => {
    const swap = place.text(1) === '(' ? functionSwaps[place.text()] : undefined;
    return swap === undefined ? [] : [place.replace(swap)];
  },
  arithmetic,
  negation,
  comparisonWithNull,
  join,
  set,
  fallback,
  (place) => {
    if (place.text() !== 'else' || place.text(1) === 'null') return [];
    const value = new Place(place.tokens, place.at + 1);
    return [value.replace('null', value.reach(new Set()))];
  },
  sorting,
  keys,
  constant,
];

function arithmetic(place: Place): Edit[] {
  const before = place.text(-1);
  const isBinary = /^(\w+|\)|\]|'.*')$/.test(before) && !clauses.includes(before);
  if (place.text() === '*') return isBinary ? [place.replace('+')] : [];
  return place.text() === '-' ? [place.replace(isBinary ? '+' : '')] : [];
}

function negation(place: Place): Edit[] {
  const [before, text, after] = [place.text(-1), place.text(), place.text(1)];
  if (text === 'not' && before !== 'is' && after !== 'materialized') return [place.replace('')];
  const isPositive = ['in', 'like', 'exists'].includes(text) && before !== 'not';
  return isPositive ? [place.replace(`not ${text}`)] : [];
}

/** A value that may be unknown is neither true nor false, neither equal nor different. */
function comparisonWithNull(place: Place): Edit[] {
  if (place.text() !== 'is') return [];
  const isNot = place.text(1) === 'not';
  const what = place.text(isNot ? 2 : 1);
  const turned = place.replace(isNot ? 'is' : 'is not', isNot ? 2 : 1);
  if (what === 'null') return [turned];
  if (what === 'distinct from') return [turned, place.replace(isNot ? '=' : '<>', isNot ? 3 : 2)];
  return [turned, place.replace(`is ${isNot === (what === 'true') ? 'false' : 'true'}`, isNot ? 3 : 2)].filter(
    (edit) => isNot || edit === turned,
  );
}

function join(place: Place): Edit[] {
  const [text, next, name] = [place.text(), place.text(1), place.text(2)];
  if (next !== 'join') return [];
  if (text === 'left') return [place.replace('inner')];
  if (text === 'inner') return [place.replace('left')];
  if (text === 'full') return [place.replace('left'), place.replace('right')];
  return name === 'lateral' || place.text(3) === 'as' ? [] : [place.replace(`left join ${name} on false`, 3)];
}

function set(place: Place): Edit[] {
  if (place.text() === 'union')
    return [place.text(1) === 'all' ? place.replace('union', 2) : place.replace('union all')];
  return place.text() === 'distinct' ? [place.replace('')] : [];
}

/** `coalesce` with one of its values left out. */
function fallback(place: Place): Edit[] {
  if (place.text() !== 'coalesce') return [];
  return listItems(place, place.at + 2);
}

/** Leaves out each item of a list, with its comma. */
function listItems({ tokens }: Place, from: number): Edit[] {
  const items: Place[] = [];
  for (let at = from; ;) {
    const item = new Place(tokens, at);
    items.push(item);
    at += item.reach(keyEnds);
    if (tokens[at]?.text !== ',') break;
    at += 1;
  }
  if (items.length === 1) return [];
  return items.map((item, index) => {
    const count = item.reach(keyEnds);
    return index === 0 ? item.replace('', count + 1) : new Place(tokens, item.at - 1).replace('', count + 1);
  });
}

/** The other way round; but not the last `order by` of a file, which only keeps its rows in the same order each time. */
function sorting(place: Place): Edit[] {
  if (place.text() !== 'order') return [];
  const key = new Place(place.tokens, place.at + 2);
  const count = key.reach(keyEnds);
  const isLast = key.at + key.reach(new Set()) === place.tokens.length;
  return isLast ? [] : [new Place(place.tokens, key.at + count - 1).replace(`${key.text(count - 1)} desc`)];
}

function keys(place: Place): Edit[] {
  return place.text(1) === 'by' && ['group', 'partition'].includes(place.text()) ? listItems(place, place.at + 2) : [];
}

function constant(place: Place): Edit[] {
  const [before, text] = [place.text(-1), place.text()];
  if (/^\d/.test(text)) return [place.replace(String(Number(text) + 1))];
  if ((text === 'true' || text === 'false') && !['is', 'not', 'on'].includes(before))
    return [place.replace(text === 'true' ? 'false' : 'true')];
  const isCompared = isLiteral(text) && (beforeValue.has(before) || isInList(place));
  return isCompared ? [place.replace(`${text.slice(0, -1)}~'`)] : [];
}

function isInList({ tokens, at }: Place): boolean {
  const before = spanTo(tokens, at - 1, -1, new Set());
  return tokens[at - before - 1]?.text === '(' && tokens[at - before - 2]?.text === 'in';
}
