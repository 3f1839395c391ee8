// Writes dist/third-party-licenses.txt: the bundle redistributes these packages, and their licences go with it. Runs
// after the build, which leaves in dist/inputs.json what went into the bundle.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

const { inputs } = JSON.parse(readFileSync('dist/inputs.json', 'utf8'));
const packages = Object.keys(inputs).map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
const texts = [...new Set(packages)]
  .filter((folder) => folder !== undefined)
  .sort()
  .map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text =
      file === undefined
        ? '(The package holds no text of its licence.)'
        : readFileSync(`${folder}/${file}`, 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
writeFileSync('dist/third-party-licenses.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
rmSync('dist/inputs.json');
