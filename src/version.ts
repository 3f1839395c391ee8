import packageJson from '../package.json' with { type: 'json' };

/** The commit that was built, put in by the build; empty where it knew none. Not there where src/ runs unbuilt. */
declare const RECON_COMMIT: string | undefined;

const commit = typeof RECON_COMMIT === 'undefined' ? '' : RECON_COMMIT;

/** `0.1.0 (296bff7)`, or `0.1.0`. */
export const version = commit === '' ? packageJson.version : `${packageJson.version} (${commit})`;
