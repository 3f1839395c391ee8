#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--optimize-for-size'); // a run waits for its database: memory is what it can spare

if (existsSync(new URL('../dist/main.js', import.meta.url))) {
  const { main, realWorld } = await import('../dist/main.js');
  process.exitCode = await main(process.argv.slice(2), realWorld());
} else {
  console.error('recon: it is not built yet: run `npm run build`.\nrecon: exit 78');
  process.exitCode = 78;
}
