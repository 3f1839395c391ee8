// Bundles src/ into dist/, with the licences of what went into it. RECON_COMMIT names the commit where the build sees no
// git, as in a container.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { writeLicenses } from './third-party-licenses.mjs';

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
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
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  define: { RECON_COMMIT: JSON.stringify(process.env.RECON_COMMIT || commitOfCheckout()) },
});
writeLicenses(Object.keys(metafile.inputs));

/** `296bff7`, `296bff7-dirty` where files differ from it; empty without git, or where this folder is no checkout. */
function commitOfCheckout() {
  const args = ['--git-dir=.git', 'describe', '--always', '--dirty', '--exclude=*'];
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
