import { inject } from 'vitest';
import { serveBroken, serveFiles } from './served.ts';

const { path, text } = inject('broken');
serveFiles();
serveBroken(path, text);
