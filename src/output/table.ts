import Table from 'cli-table3';
import wrapAnsi from 'wrap-ansi';
import { narrowest } from '../flowed.ts';
import { textWidth } from '../text-width.ts';

export interface Column {
  /** Empty: it belongs to the column before it, and stays on its line. */
  header: string;
  align?: 'left' | 'right';
  /** Text that may go on below itself where the screen is narrow. Everything else stays whole. */
  wraps?: true;
  /** It is read together with the column before it: both stand in one line if any line has room for them. */
  joins?: true;
}

/** The characters between two columns, and before what goes on below. */
const gap = '  ';
const indent = '    ';

/**
 * Rows in aligned columns without a frame, each line ending in a line feed. Cells are shown as they are given. Where the
 * screen is narrower nothing is lost: text goes on below itself in its column, and columns that still find no room go
 * on in a line below the others.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string {
  const shapes = columns.map((column, at) => shapeOf(column, at, rows));
  const bands = bandsOf(shapes, width).map((band, at) => fitted(band, at === 0 ? width : width - indent.length));
  const rendered = bands.map((band) => renderBand(band, rows));
  const lines = ['header', ...rows].flatMap((_, at) =>
    rendered.flatMap((band, below) => (band[at] ?? []).map((line) => (below === 0 ? line : indent + line).trimEnd())),
  );
  return lines
    .filter((line) => bands.length === 1 || line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** A column with the place of its cells in a row and the characters that they take, at least and at most. */
interface Shape extends Column {
  at: number;
  least: number;
  width: number;
}

function shapeOf(column: Column, at: number, rows: readonly (readonly string[])[]): Shape {
  const width = rows.reduce((most, row) => Math.max(most, textWidth(row[at] ?? '')), textWidth(column.header));
  return { ...column, at, width, least: column.wraps === true ? Math.min(width, narrowest) : width };
}

/** The columns that stand side by side, band below band. */
function bandsOf(shapes: readonly Shape[], width: number): Shape[][] {
  const room = width - indent.length;
  const units = unitsOf(shapes, ({ header, joins }) => header === '' || joins === true).flatMap((unit) =>
    sumOf(unit, 'least') <= room ? [unit] : unitsOf(unit, ({ header }) => header === ''),
  );
  return units.reduce<Shape[][]>((bands, unit) => {
    const last = bands.at(-1);
    if (last !== undefined && sumOf([...last, ...unit], 'least') <= (bands.length > 1 ? room : width))
      last.push(...unit);
    else bands.push([...unit]);
    return bands;
  }, []);
}

/** Each column with those that follow it and belong to it. */
function unitsOf(shapes: readonly Shape[], belongs: (shape: Shape) => boolean): Shape[][] {
  const units: Shape[][] = [];
  for (const shape of shapes)
    if (units.length > 0 && belongs(shape)) units.at(-1)?.push(shape);
    else units.push([shape]);
  return units;
}

function sumOf(band: readonly Shape[], size: 'least' | 'width'): number {
  return band.reduce((sum, shape) => sum + shape[size], gap.length * (band.length - 1));
}

/** Takes from the widest text what the band is too wide. */
function fitted(band: readonly Shape[], width: number): Shape[] {
  const excess = sumOf(band, 'width') - width;
  const [widest] = band
    .filter((shape) => shape.width > shape.least)
    .toSorted((left, right) => right.width - left.width);
  if (excess <= 0 || widest === undefined) return [...band];
  const narrower = { ...widest, width: Math.max(widest.least, widest.width - excess) };
  return fitted(
    band.map((shape) => (shape === widest ? narrower : shape)),
    width,
  );
}

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: gap,
};

/** The lines of the header and of each row. */
function renderBand(band: readonly Shape[], rows: readonly (readonly string[])[]): string[][] {
  const cells = [
    band.map(({ header }) => [header]),
    ...rows.map((row) => band.map((shape) => linesOf(row[shape.at] ?? '', shape))),
  ];
  const heights = cells.map((row) => Math.max(...row.map((lines) => lines.length)));
  // each line as a row: for a cell of many lines cli-table3 takes a time that grows with their square
  const lines = cells.flatMap((row, at) =>
    Array.from({ length: heights[at] ?? 0 }, (_, line) => row.map((texts) => texts[line] ?? '')),
  );
  const rendered = Array.from({ length: Math.ceil(lines.length / linesAtOnce) }, (_, part) =>
    renderLines(band, lines.slice(part * linesAtOnce, (part + 1) * linesAtOnce)),
  ).flat();
  let end = 0;
  return heights.map((height) => rendered.slice(end, (end += height)));
}

/** For a table of many lines too cli-table3 takes a time that grows with their square. */
const linesAtOnce = 50;

/** Stands for one character of a text. */
const standIn = '\ufffc';

/**
 * Lines of the same number of cells, none wider than its column. cli-table3 knows fewer characters than we do and would
 * measure some of them wrong: it is given stand-ins of the width of each text, whose places the texts then take.
 */
function renderLines(band: readonly Shape[], lines: readonly (readonly string[])[]): string[] {
  const table = new Table({
    colWidths: band.map(({ width }) => width),
    colAligns: band.map(({ align }) => align ?? 'left'),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }, // no colour codes of its own in a pipe
  });
  table.push(...lines.map((line) => line.map((text) => standIn.repeat(textWidth(text)))));
  const texts = lines
    .flat()
    .filter((text) => textWidth(text) > 0)
    .values();
  return table
    .toString()
    .replace(new RegExp(`${standIn}+`, 'g'), () => texts.next().value ?? '')
    .split('\n');
}

function linesOf(cell: string, { wraps, width }: Shape): string[] {
  return wraps === true && textWidth(cell) > width ? wrapAnsi(cell, width, { hard: true }).split('\n') : [cell];
}
