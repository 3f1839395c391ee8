import { html, type Html } from './html.ts';

/** A row of a bar chart. */
export interface BarRow {
  label: string;
  /** From the left; `width` between 0 and 1, of all parts together at most 1. `kind` is the name of a colour. */
  parts: readonly { kind: string; width: number; title: string }[];
  /** Said behind the bar: nobody has to measure it. */
  note: string;
}

const labelWidth = 160;
const barWidth = 320;
const rowHeight = 24;

/** Horizontal bars as inline SVG, which needs no script and prints sharply. */
export function barChart(caption: string, rows: readonly BarRow[]): Html {
  return figure(
    caption,
    rows.length,
    rows.map((row, index) => barsOf(row, index)),
  );
}

function barsOf({ label, parts, note }: BarRow, index: number): Html {
  const top = index * rowHeight;
  const ends = parts.map((_, at) => parts.slice(0, at + 1).reduce((sum, { width }) => sum + width, 0));
  return html`<text x="${labelWidth - 8}" y="${top + 16}" text-anchor="end">${label}</text>${parts.map(
      ({ kind, width, title }, at) =>
        html`<rect
          class="${kind}"
          x="${pixels(labelWidth + ((ends[at] ?? 0) - width) * barWidth)}"
          y="${top + 4}"
          width="${pixels(width * barWidth)}"
          height="16"
          ><title>${title}</title></rect
        >`,
    )}<text x="${pixels(labelWidth + 8 + (ends.at(-1) ?? 0) * barWidth)}" y="${top + 16}">${note}</text>`;
}

/** A row of a grid: a square a day. */
export interface GridRow {
  label: string;
  /** `mark` says in a letter what the colour says. */
  squares: readonly { kind: string; mark: string; title: string }[];
}

const square = 20;

/** Squares in rows, as inline SVG. */
export function gridChart(caption: string, rows: readonly GridRow[]): Html {
  return figure(
    caption,
    rows.length,
    rows.map(
      ({ label, squares }, row) =>
        html`<text x="${labelWidth - 8}" y="${row * rowHeight + 16}" text-anchor="end">${label}</text>${squares.map(
            ({ kind, mark, title }, column) => {
              const left = labelWidth + column * (square + 2);
              const top = row * rowHeight + 2;
              return html`<g
                ><title>${title}</title
                ><rect class="${kind}" x="${left}" y="${top}" width="${square}" height="${square}"></rect
                ><text class="mark" x="${left + square / 2}" y="${top + 15}" text-anchor="middle">${mark}</text></g
              >`;
            },
          )}`,
    ),
  );
}

const figureWidth = labelWidth + 30 * (square + 2);

function figure(caption: string, rows: number, content: readonly Html[]): Html {
  const height = Math.max(1, rows) * rowHeight;
  return html`<figure>
    <figcaption>${caption}</figcaption>
    <svg
      role="img"
      aria-label="${caption}"
      viewBox="0 0 ${figureWidth} ${height}"
      width="${figureWidth}"
      height="${height}"
    >
      ${content}
    </svg>
  </figure> `;
}

function pixels(length: number): number {
  return Math.round(length * 10) / 10;
}
