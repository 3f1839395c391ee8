/** The looks of a report page: light, dark where the reader prefers it, and always light on paper. */
export const style = `
:root { --paper: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d1d9e0; --passed: #2da44e; --failed: #cf222e;
  --incomplete: #bf8700; --low: #54aeff; --medium: #d4a72c; --high: #fa4549; --critical: #82071e; --none: #eaeef2; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d; --none: #21262d; --critical: #ff7b72;
    --high: #da3633; --failed: #f85149; } }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.faint, figcaption { color: var(--faint); } .verdict { font-weight: bold; }
p { margin: 0.3rem 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--faint); } .right { text-align: right; } td.text { overflow-wrap: anywhere; } td.time { white-space: nowrap; }
.passed { color: var(--passed); fill: var(--passed); } .failed { color: var(--failed); fill: var(--failed); }
.incomplete { color: var(--incomplete); fill: var(--incomplete); } .none { fill: var(--none); }
.low { fill: var(--low); } .medium { fill: var(--medium); } .high { fill: var(--high); } .critical { fill: var(--critical); }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }
svg text.mark { fill: #fff; font-weight: bold; }
/* on a narrow screen wide things scroll, in place of columns of single letters and charts that nobody can read */
@media screen { figure { overflow-x: auto; } svg { min-width: 40rem; } td.text { min-width: 16rem; } }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } tr, figure { break-inside: avoid; }
  thead { display: table-header-group; } .scroll { overflow: visible; } }
`;
