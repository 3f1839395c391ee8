import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Watches a process until it ends. The answer is asked for then: the most memory it held, in bytes, if anybody knows. */
export function watchMemory(pid: number): () => number | undefined {
  let peak: number | undefined;
  const seen = (bytes: number | undefined) => {
    if (bytes !== undefined) peak = Math.max(peak ?? 0, bytes);
  };
  const timer = existsSync('/proc/self/status')
    ? setInterval(() => {
        seen(readPeak(pid));
      }, 10)
    : setInterval(() => {
        askForSize(pid, seen);
      }, 200);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/** Linux keeps the peak itself; undefined once the process is gone. */
function readPeak(pid: number): number | undefined {
  try {
    return kilobytes(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Elsewhere the peak is the largest of what was seen. */
function askForSize(pid: number, seen: (bytes: number | undefined) => void): void {
  execFile('ps', ['-o', 'rss=', '-p', String(pid)], (_error, stdout) => {
    seen(kilobytes(/^\s*(\d+)\s*$/.exec(stdout)?.[1]));
  });
}

function kilobytes(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits) * 1024;
}
