// Bundles src/ into dist/, with the licences of what went into it. RECON_COMMIT names the commit where the build sees no
// git, as in a container.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { writeLicenses } from './third-party-licenses.mjs';

const { metafile, outputFiles } = await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  write: false,
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  define: { RECON_COMMIT: JSON.stringify(process.env.RECON_COMMIT || commitOfCheckout()) },
});
mkdirSync('dist', { recursive: true });
for (const { path, contents } of outputFiles) writeIfOther(path, contents);
for (const left of leftIn('dist')) rmSync(`dist/${left}`);
writeLicenses(Object.keys(metafile.inputs));

/** What is the same stays as it is, whole at any moment: a recon that runs meanwhile loads parts of itself from here. */
function writeIfOther(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

/** What an earlier build left. */
function leftIn(folder) {
  const made = outputFiles.map(({ path }) => basename(path));
  return readdirSync(folder).filter((name) => !made.includes(name) && name !== 'third-party-licenses.txt');
}

/** `296bff7`, `296bff7-dirty` where files differ from it; empty without git, or where this folder is no checkout. */
function commitOfCheckout() {
  const args = ['--git-dir=.git', 'describe', '--always', '--dirty', '--exclude=*'];
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
