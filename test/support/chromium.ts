import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** The Chromium of this machine; undefined: it has none. */
export const chromium = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** What a real browser makes of a page: its document once every script has run, and the same on paper. */
export async function inChromium(page: string): Promise<{ dom: string; pdf: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-page-'));
  try {
    const [file, paper] = [join(folder, 'page.html'), join(folder, 'page.pdf')];
    await writeFile(file, page);
    const browse = (flag: string) =>
      promisify(execFile)(
        chromium ?? '',
        ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}`, flag, pathToFileURL(file).href],
        { env: { ...process.env, HOME: folder }, timeout: 60_000, maxBuffer: 100_000_000 },
      );
    const { stdout: dom } = await browse('--dump-dom');
    await browse(`--print-to-pdf=${paper}`);
    return { dom, pdf: await readFile(paper) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
