import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

/**
 * Writes dist/third-party-licenses.txt: the bundle redistributes these packages, and their licences go with it.
 * `inputs`: the paths of all files that went into the bundle.
 */
export function writeLicenses(inputs) {
  const packages = inputs.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const texts = [...new Set(packages)]
    .filter((folder) => folder !== undefined)
    .sort()
    .map(licenseOf);
  writeFileSync('dist/third-party-licenses.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined
      ? '(The package holds no text of its licence.)'
      : readFileSync(`${folder}/${file}`, 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}
